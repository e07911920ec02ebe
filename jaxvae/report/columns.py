"""Columns with a value, or a vector, for each example, in a file."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from jaxvae.packages import needed_by
from jaxvae.report.files import whole_file

Columns: TypeAlias = Mapping[str, np.ndarray]
"""Arrays `[N]` or `[N, D]` by name."""


def save_columns(path: Path, columns: Columns) -> None:
    """Write columns to `.npz`, `.csv` or `.parquet`; tables have one column `NAME_d` for each number of a vector.

    Raises:
        InputError: the package that writes this kind of file is not installed.
    """
    with whole_file(path) as part:
        WRITERS[path.suffix.lower()](part, columns)


def flat(columns: Columns) -> dict[str, np.ndarray]:
    """Return columns `[N]`, with one for each number of a vector.

    >>> flat({"mean": np.array([[1, 2], [3, 4]])})
    {'mean_0': array([1, 3]), 'mean_1': array([2, 4])}
    """
    found: dict[str, np.ndarray] = {}
    for name, values in columns.items():
        one = {name: values}
        found |= one if values.ndim == 1 else {f"{name}_{d}": column for d, column in enumerate(values.T)}
    return found


def joined(parts: Sequence[Columns]) -> dict[str, np.ndarray]:
    """Return columns of several sets of examples, one after another: those that all have."""
    names = [name for name in parts[0] if all(name in part for part in parts)]
    return {name: np.concatenate([part[name] for part in parts]) for name in names}


def _save_npz(path: Path, columns: Columns) -> None:
    arrays: dict[str, Any] = {**columns}
    np.savez(path, **arrays)


def _save_csv(path: Path, columns: Columns) -> None:
    table = flat(columns)
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(table)
        writer.writerows(zip(*(values.tolist() for values in table.values())))


def _save_parquet(path: Path, columns: Columns) -> None:
    pyarrow, parquet = needed_by(path, "pyarrow"), needed_by(path, "pyarrow.parquet")
    table = {name: values.tolist() if values.dtype.kind == "U" else values for name, values in flat(columns).items()}
    parquet.write_table(pyarrow.table(table), path)


WRITERS: dict[str, Callable[[Path, Columns], None]] = {
    ".npz": _save_npz,
    ".csv": _save_csv,
    ".parquet": _save_parquet,
}
"""Functions that write a file, by the end of its name."""
