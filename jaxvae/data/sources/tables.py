"""Tables in .csv, .tsv and .parquet files, read by pyarrow."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from jaxvae.data.dataset import Dataset
from jaxvae.data.memory import check_fits
from jaxvae.data.partition import Whole, divided
from jaxvae.data.preparation import Preparation, refuse_sizes
from jaxvae.data.sources import columns
from jaxvae.data.sources.columns import Column, column_as_asked, is_number, number_column, word_column
from jaxvae.data.sources.kinds import DROP, Asked, asked_kinds, check_names
from jaxvae.errors import InputError, first_line
from jaxvae.packages import needed_by

_LARGEST_BLOCK = 2**31 - 1
_BYTES_PER_CELL = 16


def open_csv(path: Path, preparation: Preparation) -> Dataset:
    """Read a data set from a table of separated values, see `read_csv`."""
    return divided(str(path), path.stem, whole_set(str(path), read_csv(path), preparation, path))


def open_parquet(path: Path, preparation: Preparation) -> Dataset:
    """Read a data set from a table of Apache Parquet."""
    return divided(str(path), path.stem, whole_set(str(path), read_parquet(path), preparation, path))


def read_csv(path: Path) -> Any:
    """Read a table of comma-separated or, in a .tsv file, tab-separated values, with names in its first line.

    Raises:
        InputError: the file is damaged or ambiguous.
    """
    csv = needed_by(path, "pyarrow.csv")
    size = path.stat().st_size
    check_fits(f"{path}", 4 * size, "divide it")
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    with path.open("rb") as stream:
        _check_names(path, stream.readline(), delimiter)
    try:
        return csv.read_csv(
            path,
            # One block, because the types of the columns are those of its first.
            read_options=csv.ReadOptions(block_size=min(max(size, 1), _LARGEST_BLOCK)),
            parse_options=csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            # A missing value is an empty cell: NA is Namibia, and a surname is Null.
            convert_options=csv.ConvertOptions(null_values=[""], strings_can_be_null=True),
        )
    except (ValueError, OSError) as error:
        raise InputError(f"{path}: cannot be read ({first_line(error)}); write it again") from error


def read_parquet(path: Path) -> Any:
    """Read a table of Apache Parquet.

    Raises:
        InputError: the file is damaged.
    """
    parquet = needed_by(path, "pyarrow.parquet")
    try:
        known = parquet.read_metadata(path)
        needed = known.num_rows * known.num_columns * _BYTES_PER_CELL
        check_fits(f"{path}: {known.num_rows} rows of {known.num_columns} columns", needed, "divide it")
        return parquet.read_table(path)
    except InputError:
        raise
    except (ValueError, OSError) as error:
        raise InputError(f"{path}: cannot be read ({first_line(error)}); write it again") from error


def _check_names(path: Path, line: bytes, delimiter: str) -> None:
    """Refuse a first line of numbers, which would be lost as names."""
    try:
        names = line.decode("utf-8-sig").strip().split(delimiter)
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: its first line is not UTF-8; convert the file, for example with iconv") from error
    if all(map(is_number, names)):
        raise InputError(f"{path}: its first line holds numbers; write the names of the columns above it")


def whole_set(what: str, table: Any, preparation: Preparation, path: Path | None = None) -> Whole:
    """Make a data set of a table of pyarrow.

    Args:
        what: name of the table in messages.
        table: rows, with their columns' names.
        preparation: kinds of columns; sizes, which a table has none of, are refused.
        path: path of the table, beside which a .json file may describe its columns.

    Raises:
        InputError: a column has no name, or that of another, or is of a type that is not read.
    """
    refuse_sizes(preparation, what)
    names = table.column_names
    if not table.num_rows:
        raise InputError(f"{what}: holds no rows; give at least 2")
    if "" in names:
        remedy = "name it; pandas writes no row numbers with to_csv(path, index=False)"
        raise InputError(f"{what}: column {names.index('') + 1} has no name; {remedy}")
    if double := [name for name, count in Counter(names).items() if count > 1]:
        raise InputError(f"{what}: two columns are called {double[0]!r}; rename one")
    asked = asked_kinds(preparation.columns, path)
    check_names(what, asked, names)
    kept = [name for name in names if name not in asked or asked[name].kind != DROP]
    if not kept:
        raise InputError(f"columns: all columns of {what} are left out; keep some")
    read = [_column(f"{what}: column {name!r}", name, table.column(name), asked.get(name)) for name in kept]
    return columns.whole_set(what, read)


def _column(what: str, name: str, column: Any, asked: Asked | None) -> Column:
    values, observed = read_cells(what, column)
    if not observed.any():
        raise InputError(f"{what} is empty; remove it, or leave it out with --columns {name}=drop")
    if asked is not None:
        return column_as_asked(what, name, values, observed, asked)
    return (word_column if values.dtype.kind == "U" else number_column)(what, name, values, observed)


def read_cells(what: str, column: Any) -> tuple[np.ndarray, np.ndarray]:
    """Read a column of pyarrow by its type.

    Returns:
        `[N]` integers, floats or words, and `[N]` True where there is one.

    Raises:
        InputError: it is of another type.
    """
    import pyarrow
    from pyarrow import types

    kind, observed = column.type, np.asarray(column.is_valid())
    if types.is_null(kind):
        return np.zeros(len(column)), observed
    if types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    if types.is_decimal(kind):
        column, kind = column.cast(pyarrow.float64()), pyarrow.float64()
    if types.is_boolean(kind):
        column, kind = column.cast(pyarrow.string()), pyarrow.string()
    if types.is_integer(kind):
        return np.asarray(column.fill_null(0)), observed
    if types.is_floating(kind):
        return np.asarray(column.cast(pyarrow.float64()).fill_null(0)), observed
    if types.is_string(kind) or types.is_large_string(kind):
        return np.array(column.fill_null("").to_pylist(), str), observed
    if types.is_binary(kind):
        raise InputError(f"{what} is not UTF-8; convert the file, for example with iconv")
    raise InputError(f"{what} is of type {kind}; write it as a number or as words, or leave it out with --columns")
