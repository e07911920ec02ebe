"""Splits in memory, joined to one set."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from itertools import chain
from typing import Any

import numpy as np

from jaxvae.data.sources.cells import Cells
from jaxvae.data.sources.columns import Column
from jaxvae.data.sources.keyed import EXAMPLES
from jaxvae.data.sources.objects import Arrays, Stored
from jaxvae.data.sources.pictures import ENCODED
from jaxvae.errors import InputError, first_line

_OF_THE_SET = ("classes", "columns", "vocabulary")
"""Names of arrays that all splits share."""


def num_examples(stored: Stored) -> int:
    """Return the number of examples of a split, 0 where it holds none."""
    if isinstance(stored, dict):
        return next((len(stored[key]) for key in EXAMPLES if key in stored and stored[key].ndim), 0)
    return len(stored.counts if isinstance(stored, Cells) else stored)


def join(what: str, splits: Mapping[str, Stored]) -> Stored:
    """Join splits in their order.

    Args:
        what: name of the set in messages.
        splits: examples of each split, as `read_object` returns them.

    Raises:
        InputError: they are of several kinds, or differ in their arrays, shapes, columns or genes.
    """
    first, *others = splits.values()
    if any(type(other) is not type(first) for other in others):
        raise InputError(f"{what}: its splits are of several kinds; give arrays, or tables, or sentences, in each")
    refuse = partial(_refusal, what, [*splits])
    if isinstance(first, list):
        return [*chain.from_iterable(splits.values())]
    if isinstance(first, dict):
        return _join_arrays(refuse, [*splits.values()])
    if isinstance(first, Cells):
        return _join_cells(refuse, [*splits.values()])
    return _join_tables(refuse, [*splits.values()])


def _refusal(what: str, names: list[str], found: str, remedy: str = "bring them to one form") -> InputError:
    return InputError(f"{what}: its splits {', '.join(names)} {found}; {remedy}")


def _join_arrays(refuse: Any, splits: list[Arrays]) -> Arrays:
    keys = splits[0].keys()
    if keys & {*ENCODED}:
        raise refuse("hold image files", "give pixels as 'image'")
    if any(split.keys() != keys for split in splits):
        raise refuse(f"hold arrays {' and '.join(str(sorted(split)) for split in splits)}")
    if any(not np.array_equal(split[key], splits[0][key]) for key in keys & {*_OF_THE_SET} for split in splits):
        raise refuse("name their classes, columns or words differently")
    if len({split[key].dtype == np.uint8 for key in keys & {"image"} for split in splits}) > 1:
        raise refuse("hold images in uint8 and in floats")
    try:
        return {
            key: splits[0][key] if key in _OF_THE_SET else np.concatenate([split[key] for split in splits])
            for key in keys
        }
    except ValueError as error:
        raise refuse(f"differ in shape ({first_line(error)})") from error


def _join_tables(refuse: Any, splits: list[Any]) -> Any:
    import pyarrow

    names = splits[0].column_names
    if any(sorted(table.column_names) != sorted(names) for table in splits):
        raise refuse("have different columns", "name them alike")
    try:
        # As one type: whole numbers with gaps are floats in pandas, and categories have numbers of their own.
        plain = [_without_dictionaries(table.select(names)) for table in splits]
        return pyarrow.concat_tables(plain, promote_options="permissive")
    except (pyarrow.ArrowException, TypeError, KeyError) as error:
        raise refuse(f"have columns of different types ({first_line(error)})") from error


def _without_dictionaries(table: Any) -> Any:
    from pyarrow import types

    for number, field in enumerate(table.schema):
        if types.is_dictionary(field.type):
            column = table.column(number).cast(field.type.value_type)
            table = table.set_column(number, field.name, column)
    return table


def _join_cells(refuse: Any, splits: list[Cells]) -> Cells:
    first = splits[0]
    if any(not np.array_equal(cells.genes, first.genes) for cells in splits):
        raise refuse("have different genes", "give the same genes in one order")
    names = [column.name for column in first.columns]
    if any([column.name for column in cells.columns] != names for cells in splits):
        raise refuse("have different columns in obs", "name them alike")
    columns = [_join_columns(refuse, parts) for parts in zip(*(cells.columns for cells in splits))]
    return Cells(np.concatenate([cells.counts for cells in splits]), first.genes, columns)


def _join_columns(refuse: Any, parts: tuple[Column, ...]) -> Column:
    """Join a column; its categories are numbered in the order in which they come."""
    if len({bool(part.categories) for part in parts}) > 1:
        raise refuse(f"hold numbers and categories in {parts[0].name!r}")
    names = tuple(dict.fromkeys(chain.from_iterable(part.categories for part in parts)))
    number = {name: i for i, name in enumerate(names)}
    values = [part.values if not names else _renumbered(part, number) for part in parts]
    return Column(parts[0].name, np.concatenate(values), np.concatenate([part.observed for part in parts]), names)


def _renumbered(column: Column, number: Mapping[str, int]) -> np.ndarray:
    codes = np.array([number[name] for name in column.categories])
    return np.where(column.observed, codes[column.values], -1).astype(np.int32)
