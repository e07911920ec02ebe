"""Molecules as SMILES strings in a column of a table."""

from __future__ import annotations

import csv
import gzip
import logging
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from jaxvae.data.dataset import Dataset
from jaxvae.data.memory import check_fits
from jaxvae.data.partition import SPLITS, TEST, TRAIN, divided
from jaxvae.data.preparation import Preparation
from jaxvae.data.sources.sentences import whole_set
from jaxvae.data.sources.text import read_splits, set_name, split_files, without_blank
from jaxvae.errors import InputError, first_line

logger = logging.getLogger(__name__)

ENDS = (".csv", ".csv.gz")
"""Ends of the names of tables."""
_COLUMN = "smiles"


def holds_molecules(path: Path) -> bool:
    """Return True for a table with a column SMILES, and for a folder with such tables called train and test."""
    if not path.is_dir():
        return path.name.lower().endswith(ENDS) and _column(_header(path)) is not None
    files = split_files(path, ENDS)
    return {SPLITS[split] for split in files} >= {TRAIN, TEST} and all(map(holds_molecules, files.values()))


def open_molecules(path: Path, preparation: Preparation) -> Dataset:
    """Read the column SMILES of a table, divided 80/10/10, or of the tables of the splits in a folder.

    Raises:
        InputError: a table cannot be read.
    """
    lines, parts = read_splits(path, partial(split_files, ends=ENDS), read_smiles)
    return divided(str(path), set_name(path), whole_set(str(path), lines, parts, preparation, units="smiles"))


def read_smiles(file: Path) -> list[str]:
    """Return the strings in the column SMILES of a table.

    Raises:
        InputError: the file cannot be read, or a row has no such cell.
    """
    check_fits(f"{file}", 8 * file.stat().st_size, "divide it")
    header, *rows = _rows(file)
    column = _column(header)
    if column is None:
        raise InputError(f"{file}: has no column SMILES, but {', '.join(header)}; write its name in the first line")
    if others := [name for name in header if name != header[column]]:
        logger.info("%s: columns that are not used: %s", file.name, ", ".join(others))
    if short := [number for number, row in enumerate(rows, start=2) if row and len(row) <= column]:
        raise InputError(f"{file}: row {short[0]} has no cell in the column SMILES; fill it in, or leave it out")
    return without_blank(str(file), (row[column] for row in rows if row))


def _header(file: Path) -> list[str]:
    return next(_rows(file, errors="replace"), [])


def _column(header: list[str]) -> int | None:
    names = [name.strip().lower() for name in header]
    return names.index(_COLUMN) if _COLUMN in names else None


def _rows(file: Path, errors: str = "strict") -> Iterator[list[str]]:
    try:
        opener = gzip.open if file.name.lower().endswith(".gz") else open
        with opener(file, "rt", encoding="utf-8-sig", errors=errors, newline="") as stream:
            yield from csv.reader(stream)
    except (OSError, EOFError, UnicodeDecodeError, csv.Error, zlib.error) as error:
        raise InputError(f"{file}: cannot be read ({first_line(error)}); write it again") from error
