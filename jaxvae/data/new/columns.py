"""New rows of a table, and new cells: columns and genes by their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jaxvae.data.sources.cells import Cells
from jaxvae.data.sources.tables import read_cells
from jaxvae.data.spaces import Table
from jaxvae.data.spaces.table import OBSERVED, X
from jaxvae.errors import InputError, did_you_mean


def table_rows(what: str, table: Any, facts: Mapping[str, Any], space: Table) -> dict[str, np.ndarray]:
    """Return the values of a table of pyarrow, categories by their numbers, and where they are observed.

    Raises:
        InputError: a column is missing, or holds words for numbers, or a category that is none of the run's.
    """
    names = facts.get("names", {})
    categories = names.get("categories", {})
    columns = [
        _column(f"{what}: column {name!r}", read_cells(f"{what}: column {name!r}", column), categories.get(name))
        for name, column in _by_names(what, table, names["columns"]).items()
    ]
    values, observed = (np.stack(arrays, axis=1) for arrays in zip(*columns))
    return {X: np.where(observed, values, 0).astype(np.float32), OBSERVED: observed}


def number_rows(what: str, table: Any, names: Sequence[str] | None) -> np.ndarray:
    """Return `[N, D]` numbers of a table of pyarrow, whose columns are all needed where they have no names.

    Raises:
        InputError: a column is missing, or holds words, or has gaps.
    """
    columns = _by_names(what, table, names or table.column_names)
    cells = {name: read_cells(f"{what}: column {name!r}", column) for name, column in columns.items()}
    for name, (_, observed) in cells.items():
        if gaps := int((~observed).sum()):
            raise InputError(f"{what}: column {name!r} misses {gaps} values, the run's have none; fill them")
    return np.stack([_column(f"{what}: column {name!r}", cell, None)[0] for name, cell in cells.items()], axis=1)


def count_rows(what: str, cells: Cells, genes: Sequence[str] | None) -> np.ndarray:
    """Return `[N, D]` counts of the genes of the run, by their names where it has them.

    Raises:
        InputError: a gene is missing, or there twice.
    """
    if genes is None:
        return cells.counts
    names = cells.genes.tolist()
    return cells.counts[:, _places(what, "gene", names, genes)]


def _by_names(what: str, table: Any, names: Sequence[str]) -> dict[str, Any]:
    places = _places(what, "column", table.column_names, names)
    return {name: table.column(place) for name, place in zip(names, places)}


def _places(what: str, noun: str, there: Sequence[str], wanted: Sequence[str]) -> list[int]:
    """Return where the wanted names are, each once."""
    known = {name: place for place, name in enumerate(there)}
    if missing := [name for name in wanted if name not in known]:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        hint = did_you_mean(missing[0], there)
        raise InputError(f"{what}: there is no {noun} {missing[0]!r}{more}{hint}; give all {len(wanted)} of the run")
    if double := next((name for name in wanted if there.count(name) > 1), None) if len(known) < len(there) else None:
        raise InputError(f"{what}: two {noun}s are called {double!r}; rename one")
    return [known[name] for name in wanted]


def _column(
    what: str, cells: tuple[np.ndarray, np.ndarray], categories: Sequence[str] | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return `[N]` numbers, or numbers of categories, and where they are observed."""
    values, observed = cells
    if categories is None:
        if values.dtype.kind == "U" and observed.any():
            raise InputError(f"{what} holds words, such as {values[observed][0]!r}, the run's holds numbers")
        numbers = np.zeros(len(values)) if values.dtype.kind == "U" else values.astype(np.float64)
        if not np.isfinite(numbers[observed]).all() or np.abs(numbers).max(initial=0) > np.finfo(np.float32).max:
            raise InputError(f"{what} holds NaN, infinity or more than float32 can; leave missing cells empty")
        return numbers, observed
    code = {word: number for number, word in enumerate(categories)}
    words = [_word(value) for value in values.tolist()]
    if unknown := next((word for word, there in zip(words, observed) if there and word not in code), None):
        known = f"one of the run's categories, {', '.join(categories[:20])}"
        raise InputError(f"{what} holds {unknown!r}, which is not {known}; leave the cell empty if it is unknown")
    return np.array([code.get(word, 0) for word in words]), observed


def _word(value: Any) -> str:
    """Return the name of a category; whole numbers in a column with gaps are floats in pandas."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
