"""New rows of a table, and new cells: columns and genes by their names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jaxvae.data.sources.cells import Cells
from jaxvae.data.sources.columns import word_of
from jaxvae.data.sources.kinds import OTHER
from jaxvae.data.sources.tables import read_cells
from jaxvae.data.spaces.table import OBSERVED, X
from jaxvae.errors import InputError, did_you_mean


def table_rows(what: str, table: Any, names: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Return the values of a table of pyarrow, categories by their numbers, and where they are observed.

    Args:
        what: name of the table in messages.
        table: rows with at least the columns of the run.
        names: names of the run's `columns`, and of the `categories` of some.

    Raises:
        InputError: a column is missing, or holds words for numbers, or a category that is none of the run's.
    """
    values, observed = [], []
    for name, column in _by_names(what, table, names["columns"]).items():
        known, has_rest = names["categories"].get(name), name in names.get("rest", ())
        told = f"{what}: column {name!r}"
        cells, there = read_cells(told, column)
        is_number = known is None
        values.append(_numbers(told, cells, there) if is_number else _codes(told, cells, there, known, has_rest))
        observed.append(there)
    mask = np.stack(observed, axis=1)
    return {X: np.where(mask, np.stack(values, axis=1), 0).astype(np.float32), OBSERVED: mask}


def number_rows(what: str, table: Any, names: Sequence[str] | None) -> np.ndarray:
    """Return `[N, D]` numbers of a table of pyarrow; where the run's columns have no names, of all its columns.

    Raises:
        InputError: a column is missing, or holds words, or has gaps.
    """
    columns = []
    for name, column in _by_names(what, table, names or table.column_names).items():
        told = f"{what}: column {name!r}"
        cells, there = read_cells(told, column)
        if gaps := int((~there).sum()):
            raise InputError(f"{told} misses {gaps} values, the run's have none; fill them")
        columns.append(_numbers(told, cells, there))
    return np.stack(columns, axis=1)


def count_rows(what: str, cells: Cells, genes: Sequence[str] | None) -> np.ndarray:
    """Return `[N, D]` counts of the run's genes, by their names where it has them.

    Raises:
        InputError: a gene is missing, or there twice.
    """
    return cells.counts if genes is None else cells.counts[:, _places(what, "gene", cells.genes.tolist(), genes)]


def _by_names(what: str, table: Any, names: Sequence[str]) -> dict[str, Any]:
    places = _places(what, "column", table.column_names, names)
    return {name: table.column(place) for name, place in zip(names, places)}


def _places(what: str, noun: str, there: Sequence[str], wanted: Sequence[str]) -> list[int]:
    """Return the places of names among those that are there, each once."""
    known, count = {name: place for place, name in enumerate(there)}, Counter(there)
    if missing := [name for name in wanted if name not in known]:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        hint = did_you_mean(missing[0], there)
        raise InputError(f"{what}: there is no {noun} {missing[0]!r}{more}{hint}; give all {len(wanted)} of the run")
    if double := [name for name in wanted if count[name] > 1]:
        raise InputError(f"{what}: two {noun}s are called {double[0]!r}; rename one")
    return [known[name] for name in wanted]


def _numbers(what: str, cells: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """Return `[N]` numbers of a column, anything where there is none."""
    if not observed.any():
        return np.zeros(len(cells))
    if cells.dtype.kind == "U":
        found = str(cells[observed][0])
        raise InputError(f"{what} holds words, such as {found!r}, the run's holds numbers; leave such cells empty")
    numbers = cells.astype(np.float64)
    if not np.isfinite(numbers).all() or np.abs(numbers).max() > np.finfo(np.float32).max:
        raise InputError(f"{what} holds NaN, infinity, or more than float32 can; leave such cells empty")
    return numbers


def _codes(what: str, cells: np.ndarray, observed: np.ndarray, categories: Sequence[str], has_rest: bool) -> np.ndarray:
    """Return `[N]` numbers of categories, 0 where there is none; rare ones are one category where there is a rest."""
    code = {word: number for number, word in enumerate(categories)}
    words = [word_of(cell) if there else None for cell, there in zip(cells.tolist(), observed)]
    words = [OTHER if has_rest and word is not None and word not in code else word for word in words]
    if unknown := [word for word in words if word is not None and word not in code]:
        known = ", ".join(categories[:20])
        raise InputError(f"{what} holds {unknown[0]!r}, the run knows {known}; leave the cell empty if it is unknown")
    return np.array([0 if word is None else code[word] for word in words])
