"""Text files with one sentence a line, as rows of word numbers."""

from __future__ import annotations

import collections
import gzip
import itertools
import logging
import zlib
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np

from jaxvae.data.dataset import Dataset, Split
from jaxvae.data.memory import check_fits
from jaxvae.data.partition import SPLITS, TEST, TRAIN, Whole, check_splits, divided, tenths
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
MOST_WORDS = 1024
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
    if path.is_file():
        sentences, parts = read_sentences(path), None
    else:
        files = text_files(path)
        check_splits(path, files)
        by_split = {SPLITS[split]: read_sentences(file) for split, file in files.items()}
        sentences = [*itertools.chain.from_iterable(by_split.values())]
        parts = np.repeat([*by_split], [*map(len, by_split.values())])
    if are_numbers(sentences):
        remedy = f"numpy.savez({str(path.with_suffix('.npz'))!r}, x=numpy.loadtxt({str(path)!r}, ndmin=2))"
        raise InputError(f"{path}: holds numbers and no words; {remedy}")
    return divided(str(path), _name(path), whole_set(str(path), sentences, parts, preparation))


def whole_set(what: str, sentences: list[Sentence], parts: np.ndarray | None, preparation: Preparation) -> Whole:
    """Make a data set of sentences, with the vocabulary of the training split.

    Args:
        what: name of the text in messages.
        sentences: words of each sentence.
        parts: `[N]` part numbers; None divides the text 80/10/10.
        preparation: sizes, which a text has none of.

    Raises:
        InputError: a word is a mark.
    """
    refuse_sizes(preparation, what)
    parts = tenths(what, len(sentences)) if parts is None else parts
    words = _vocabulary(what, [sentences[i] for i in np.flatnonzero(parts == TRAIN)])
    length = 1 + max(map(len, sentences))
    check_fits(f"{what}: {len(sentences)} rows of {length} words", 4 * len(sentences) * length, "shorten its longest")
    space = Tokens(len(words), length, digest=digest({"words": words}))
    rows = token_rows(sentences, words, space)
    unknown = {name: _unknown(rows[parts == SPLITS[name]]) for name in ("train", "test")}
    logger.warning("vocabulary: %d words; %.2f %% of the test words are unknown", len(words), 100 * unknown["test"])
    return Whole(Split(rows), parts, space, facts={"words": list(words), "unknown_words": unknown})


def are_numbers(sentences: Iterable[Sentence]) -> bool:
    """Return True where every word is a number."""
    return all(map(is_number, itertools.chain.from_iterable(sentences)))


def token_rows(sentences: Sequence[Sentence], words: Sequence[str], space: Tokens) -> np.ndarray:
    """Return `[N, T]` numbers of the words, unknown ones where the vocabulary lacks them; none may be too long."""
    numbers = {word: number for number, word in enumerate(words)}
    rows = np.full((len(sentences), space.length), space.padding, np.int32)
    for row, sentence in zip(rows, sentences):
        row[: len(sentence) + 1] = [*(numbers.get(word, space.unknown) for word in sentence), space.end]
    return rows


def split_words(what: str, lines: Iterable[str]) -> list[Sentence]:
    """Return the words of every line that is not blank.

    Raises:
        InputError: a line is too long, or all are blank.
    """
    sentences = [line.split() for line in lines]
    for number, sentence in enumerate(sentences, start=1):
        if len(sentence) > MOST_WORDS:
            remedy = f"give one sentence a line, of {MOST_WORDS} words or fewer"
            raise InputError(f"{what}: line {number} has {len(sentence)} words; {remedy}")
    sentences = [sentence for sentence in sentences if sentence]
    if not sentences:
        raise InputError(f"{what}: holds no words; give one sentence a line")
    return sentences


def check_marks(what: str, words: Collection[str]) -> None:
    """Refuse words that mark padding and ends.

    Raises:
        InputError: there is one.
    """
    if taken := {*SPECIAL[:UNKNOWN]}.intersection(words):
        raise InputError(f"{what}: holds the word {taken.pop()!r}, which is a mark here; write it in another way")


def _name(path: Path) -> str:
    return path.resolve().name.split(".")[0]


def read_sentences(file: Path) -> list[Sentence]:
    """Return the sentences of a file as lists of words.

    Raises:
        InputError: the file is no text, or its lines are too long.
    """
    return split_words(str(file), read_lines(file))


def read_lines(file: Path) -> list[str]:
    """Return the lines of a text file, blank ones included.

    Raises:
        InputError: the file is no text.
    """
    check_fits(f"{file}", 8 * file.stat().st_size, "divide it")
    try:
        with gzip.open(file, "rb") if file.name.lower().endswith(".gz") else file.open("rb") as stream:
            return stream.read().decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        number = error.object[: error.start].count(b"\n") + 1
        raise InputError(f"{file}: line {number} is not UTF-8; convert it, for example with iconv") from error
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{file}: cannot be read ({first_line(error)}); write it again") from error


def _vocabulary(what: str, sentences: Sequence[Sentence]) -> tuple[str, ...]:
    counts = collections.Counter(itertools.chain.from_iterable(sentences))
    check_marks(what, counts)
    least = 1 if SPECIAL[UNKNOWN] in counts else _LEAST_OCCURRENCES
    frequent = sorted((-count, word) for word, count in counts.items() if count >= least and word not in SPECIAL)
    return (*SPECIAL, *(word for _, word in frequent))


def _unknown(rows: np.ndarray) -> float:
    """Return the share of words that are unknown."""
    return float((rows == UNKNOWN).sum() / (rows > 1).sum())
