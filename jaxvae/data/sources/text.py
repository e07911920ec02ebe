"""Text files with one sentence a line, in one file or a file for each split."""

from __future__ import annotations

import gzip
import itertools
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from jaxvae.data.dataset import Dataset
from jaxvae.data.memory import check_fits
from jaxvae.data.partition import SPLITS, TEST, TRAIN, check_splits, divided
from jaxvae.data.preparation import Preparation
from jaxvae.data.sources.recipes import IMAGES
from jaxvae.data.sources.sentences import are_numbers, whole_set
from jaxvae.errors import InputError, first_line

ENDS = (".txt", ".txt.gz")
"""Ends of the names of text files."""


def split_files(folder: Path, ends: tuple[str, ...] = ENDS) -> dict[str, Path]:
    """Return the files of a folder that are named like splits, such as train.txt or ptb.valid.txt.gz.

    Args:
        folder: the folder.
        ends: ends of the files' names.

    Returns:
        Files by the names of their splits.

    Raises:
        InputError: two files have the name of one split.
    """
    found: dict[str, Path] = {}
    for file in sorted(folder.iterdir()):
        end = next((end for end in ends if file.name.lower().endswith(end)), None)
        split = "" if end is None else file.name.lower().removesuffix(end).split(".")[-1]
        if split in SPLITS and file.is_file() and not file.name.startswith("."):
            if split in found:
                raise InputError(f"{folder}: {found[split].name} and {file.name} are one split; move one out")
            found[split] = file
    return found


def is_text(folder: Path) -> bool:
    """Tell a folder of texts from one of images, which may have lists of file names called train.txt."""
    if not {SPLITS[split] for split in split_files(folder)} >= {TRAIN, TEST}:
        return False
    return not any(file.suffix.lower() in IMAGES for file in folder.rglob("*"))


def open_text(path: Path, preparation: Preparation) -> Dataset:
    """Read a text file, divided 80/10/10, or a folder with files of the splits.

    A line is a sentence; blank lines are left out. See `sentences.whole_set` for the vocabulary.

    Raises:
        InputError: a file is no text, or its lines are too long, or it holds numbers alone.
    """
    lines, parts = read_splits(path, split_files, read_sentences)
    if are_numbers(lines):
        remedy = f"numpy.savez({str(path.with_suffix('.npz'))!r}, x=numpy.loadtxt({str(path)!r}, ndmin=2))"
        raise InputError(f"{path}: holds numbers and no words; {remedy}")
    return divided(str(path), set_name(path), whole_set(str(path), lines, parts, preparation))


def read_splits(
    path: Path, files: Callable[[Path], dict[str, Path]], read: Callable[[Path], list[str]]
) -> tuple[list[str], np.ndarray | None]:
    """Read the lines of a file, or of a folder's files of the splits.

    Args:
        path: file or folder.
        files: function that returns the files of a folder by the names of their splits.
        read: function that reads the lines of a file.

    Returns:
        The lines, and `[N]` their part numbers, None for a single file.
    """
    if path.is_file():
        return read(path), None
    found = files(path)
    check_splits(path, found)
    by_split = {SPLITS[split]: read(file) for split, file in found.items()}
    parts = np.repeat([*by_split], [*map(len, by_split.values())])
    return [*itertools.chain.from_iterable(by_split.values())], parts


def without_blank(what: str, lines: Iterable[str]) -> list[str]:
    """Return the lines that are not blank.

    Raises:
        InputError: all are.
    """
    kept = [line for line in lines if not line.isspace() and line]
    if not kept:
        raise InputError(f"{what}: holds no words; give one sentence a line")
    return kept


def set_name(path: Path) -> str:
    """Return the name of a file or folder without any ends."""
    return path.resolve().name.split(".")[0]


def read_sentences(file: Path) -> list[str]:
    """Return the lines of a file that are not blank.

    Raises:
        InputError: the file is no text, or all are blank.
    """
    return without_blank(str(file), read_lines(file))


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
