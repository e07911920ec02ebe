"""Text files with one sentence a line, as rows of word numbers."""

from __future__ import annotations

import collections
import gzip
import itertools
import logging
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np

from jaxvae.data.dataset import Dataset, Split
from jaxvae.data.memory import check_fits
from jaxvae.data.partition import SPLITS, TEST, TRAIN, VALIDATION, check_splits, tenths
from jaxvae.data.preparation import Preparation, refuse_sizes
from jaxvae.data.sources.arrays import digest
from jaxvae.data.sources.columns import is_number
from jaxvae.data.sources.recipes import IMAGES
from jaxvae.data.spaces import Tokens
from jaxvae.data.spaces.tokens import SPECIAL, UNKNOWN
from jaxvae.errors import InputError, first_line

logger = logging.getLogger(__name__)

ENDS = (".txt", ".txt.gz")
"""Ends of the names of text files."""
_MOST_WORDS = 1024
"""Largest number of words in a line; every row is as long as the longest."""
_LEAST_OCCURRENCES = 2
"""Occurrences in the training split of a word of the vocabulary, so that training meets unknown words too."""
Sentence: TypeAlias = list[str]


def text_files(folder: Path) -> dict[str, Path]:
    """Return the text files of a folder that are named like splits, such as train.txt or ptb.valid.txt.gz.

    Raises:
        InputError: two files have the name of one split.
    """
    found: dict[str, Path] = {}
    for file in sorted(folder.iterdir()):
        end = next((end for end in ENDS if file.name.lower().endswith(end)), None)
        split = "" if end is None else file.name.lower().removesuffix(end).split(".")[-1]
        if split in SPLITS and file.is_file() and not file.name.startswith("."):
            if split in found:
                raise InputError(f"{folder}: {found[split].name} and {file.name} are one split; move one out")
            found[split] = file
    return found


def is_text(folder: Path) -> bool:
    """Tell a folder of texts from one of images, which may have lists of file names called train.txt."""
    if not {SPLITS[split] for split in text_files(folder)} >= {TRAIN, TEST}:
        return False
    return not any(file.suffix.lower() in IMAGES for file in folder.rglob("*"))


def open_text(path: Path, preparation: Preparation) -> Dataset:
    """Read a text file, divided 80/10/10, or a folder with files of the splits.

    A line is a sentence, and blanks separate its words; blank lines are left out. The vocabulary is that of the
    training split: every word that occurs twice, or every word where the text has `<unk>` in place of rare ones.

    Raises:
        InputError: a file is no text, or its lines are too long, or it holds numbers alone.
    """
    refuse_sizes(preparation, str(path))
    if path.is_file():
        sentences = _read(path)
        parts = tenths(path, len(sentences))
        by_split = {part: [sentences[i] for i in np.flatnonzero(parts == part)] for part in (TRAIN, VALIDATION, TEST)}
    else:
        files = text_files(path)
        check_splits(path, files)
        by_split = {SPLITS[split]: _read(file) for split, file in files.items()}
    words = _vocabulary(path, by_split[TRAIN])
    length = 1 + max(map(len, itertools.chain.from_iterable(by_split.values())))
    num = sum(map(len, by_split.values()))
    check_fits(f"{path}: {num} rows of {length} words", 4 * num * length, "make its longest lines shorter")
    numbers = {word: number for number, word in enumerate(words)}
    splits = {part: Split(_rows(sentences, numbers, length)) for part, sentences in by_split.items() if sentences}
    unknown = {name: _unknown(splits[SPLITS[name]]) for name in ("train", "test")}
    logger.warning("vocabulary: %d words; %.2f %% of the test words are unknown", len(words), 100 * unknown["test"])
    facts = {"words": list(words), "unknown_words": unknown}
    data = Dataset(_name(path), splits[TRAIN], splits[TEST], splits.get(VALIDATION), facts=facts)
    return data.of_space(Tokens(len(words), length, digest=digest({"words": words})))


def _name(path: Path) -> str:
    return path.resolve().name.split(".")[0]


def _read(file: Path) -> list[Sentence]:
    """Return the sentences of a file as lists of words."""
    check_fits(f"{file}", 8 * file.stat().st_size, "divide it")
    try:
        with gzip.open(file, "rb") if file.name.lower().endswith(".gz") else file.open("rb") as stream:
            lines = stream.read().decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        number = error.object[: error.start].count(b"\n") + 1
        raise InputError(f"{file}: line {number} is not UTF-8; convert it, for example with iconv") from error
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{file}: cannot be read ({first_line(error)}); write it again") from error
    for number, line in enumerate(lines, start=1):
        if len(line.split()) > _MOST_WORDS:
            remedy = f"give one sentence a line, of {_MOST_WORDS} words or fewer"
            raise InputError(f"{file}: line {number} has {len(line.split())} words; {remedy}")
    sentences = [line.split() for line in lines if line.strip()]
    if not sentences:
        raise InputError(f"{file}: holds no words; give one sentence a line")
    return sentences


def _vocabulary(path: Path, sentences: Sequence[Sentence]) -> tuple[str, ...]:
    counts = collections.Counter(itertools.chain.from_iterable(sentences))
    if all(map(is_number, counts)):
        remedy = f"numpy.savez({str(path.with_suffix('.npz'))!r}, x=numpy.loadtxt({str(path)!r}, ndmin=2))"
        raise InputError(f"{path}: holds numbers and no words; {remedy}")
    if taken := {*SPECIAL[:UNKNOWN]} & counts.keys():
        raise InputError(f"{path}: holds the word {taken.pop()!r}, which is a mark here; write it in another way")
    least = 1 if SPECIAL[UNKNOWN] in counts else _LEAST_OCCURRENCES
    frequent = sorted((-count, word) for word, count in counts.items() if count >= least and word not in SPECIAL)
    return (*SPECIAL, *(word for _, word in frequent))


def _rows(sentences: Iterable[Sentence], numbers: dict[str, int], length: int) -> np.ndarray:
    space = Tokens(len(numbers), length)
    rows = np.full((len(list(sentences)), length), space.padding, np.int32)
    for row, sentence in zip(rows, sentences):
        row[: len(sentence) + 1] = [*(numbers.get(word, space.unknown) for word in sentence), space.end]
    return rows


def _unknown(split: Split) -> float:
    """Return the share of words that are unknown."""
    return float((split.x == UNKNOWN).sum() / (split.x > 1).sum())
