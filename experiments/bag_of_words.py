"""Count the words of documents: `python experiments/bag_of_words.py --text documents.txt --out words.npz`.

A line of the text is a document. With --table, a .csv with a row for each line, lines that agree in the columns --by
are one document, such as the verses of a chapter. The file is a data set of counts with its words as columns, divided
80/10/10; the vocabulary is that of the training documents.
"""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from jaxvae.data.partition import TRAIN, tenths
from jaxvae.data.sources.text import read_lines
from jaxvae.errors import InputError, did_you_mean
from jaxvae.options.checks import check, check_at_least, check_output
from jaxvae.report.files import whole_file
from jaxvae.runs.command_line import run_script


@dataclasses.dataclass(frozen=True)
class BagOfWordsConfig:
    """Write the counts of the words of documents, as a data set for topic models."""

    text: Path
    """Text file with a document, or a part of one, in each line."""
    out: Path
    """File to write, .npz."""
    table: Path | None = None
    """File .csv with a row for each line of the text, below a row of names."""
    by: tuple[str, ...] = ()
    """Columns of the table; lines that agree in them are one document."""
    label: str | None = None
    """Column of the table that becomes the label of a document, that of its first line."""
    least_documents: int = 5
    """Least number of training documents in which a word of the vocabulary occurs."""
    most_share: float = 0.5
    """Largest share of training documents in which a word of the vocabulary occurs."""
    stop_words: bool = True
    """Leave out the English words that scikit-learn's list has, such as the and of."""
    overwrite: bool = False
    """Replace the file if it exists."""

    def check(self) -> None:
        """Refuse values that are invalid for every text."""
        check_output("out", self.out, [".npz"], overwrite=self.overwrite)
        check_at_least(1, "least_documents", self.least_documents)
        check(0 < self.most_share <= 1, "most_share", self.most_share, "above 0 and at most 1")
        if self.table is None and (self.by or self.label):
            raise InputError("table: --by and --label name columns of a table; give its file")


def main(config: BagOfWordsConfig) -> int:
    """Read the documents, count their words and write the file."""
    documents, labels = read_documents(config)
    parts = tenths(config.text, len(documents))
    counts, words = counted(config, documents, parts)
    kept = counts.sum(axis=1) > 0
    arrays: dict[str, Any] = {"counts": counts[kept], "columns": words, "split": parts[kept]}
    if labels is not None:
        classes = [*dict.fromkeys(labels)]  # in the order of the text
        number = {name: code for code, name in enumerate(classes)}
        label = np.array([number[name] for name in labels], np.int32)
        arrays |= {"label": label[kept], "classes": np.array(classes)}
    with whole_file(config.out) as part:
        np.savez_compressed(part, **arrays)
    empty = f"; {(~kept).sum()} documents without any are left out" if not kept.all() else ""
    print(f"{kept.sum():,} documents of {counts.sum() / kept.sum():.0f} words, {len(words):,} different ones{empty}")
    print(f"data set in {config.out}")
    return 0


def read_documents(config: BagOfWordsConfig) -> tuple[list[str], list[str] | None]:
    """Return the documents, and their labels if there are any.

    Raises:
        InputError: a file cannot be read, or the table does not fit the text.
    """
    lines = read_file(config.text, "text")
    if config.table is None:
        return [line for line in lines if line.strip()], None
    rows = [*csv.DictReader(read_file(config.table, "table"))]
    if len(rows) != len(lines):
        found = f"{config.table} has {len(rows)} rows for {len(lines)} lines of text"
        raise InputError(f"table: {found}; give one for each")
    for name in (*config.by, *([config.label] if config.label else [])):
        if name not in rows[0]:
            hint, known = did_you_mean(name, rows[0]), ", ".join(rows[0])
            raise InputError(f"by: {name!r} is no column of {config.table}{hint}; give one of {known}")
    groups: dict[tuple[str, ...], list[int]] = {}
    for number, row in enumerate(rows):
        groups.setdefault(tuple(row[name] for name in config.by) or (str(number),), []).append(number)
    documents = [" ".join(lines[number] for number in numbers) for numbers in groups.values()]
    labels = [rows[numbers[0]][config.label] for numbers in groups.values()] if config.label else None
    return documents, labels


def read_file(path: Path, option: str) -> list[str]:
    """Return the lines of a text file."""
    if not path.is_file():
        raise InputError(f"{option}: there is no file {path}; name one")
    return read_lines(path)


def counted(config: BagOfWordsConfig, documents: list[str], parts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return `[N, V]` counts, and the `[V]` words, those that training documents have often enough.

    Raises:
        InputError: no word is in as many training documents, and in no more, as is asked for.
    """
    from sklearn.feature_extraction.text import CountVectorizer

    training = [document for document, part in zip(documents, parts) if part == TRAIN]
    stop_words = "english" if config.stop_words else None
    counter = CountVectorizer(min_df=config.least_documents, max_df=config.most_share, stop_words=stop_words)
    try:
        counter.fit(training)
    except ValueError as error:  # its only one, that of an empty vocabulary
        remedy = "give a smaller --least-documents, or a larger --most-share"
        raise InputError(f"text: no word is in so many of {len(training)} training documents; {remedy}") from error
    return counter.transform(documents).toarray().astype(np.int32), counter.get_feature_names_out().astype(str)


if __name__ == "__main__":
    run_script(main, BagOfWordsConfig)
