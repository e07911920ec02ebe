"""Cells of a table as its owner writes them: decimals and bounds of numbers, names of categories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jaxvae.data.spaces.shown import Cells


def like_data(x: Any, facts: Mapping[str, Any], *, clip: bool = True) -> Any:
    """Round generated values to the decimals of the data, and clip them to its range.

    Args:
        x: `[N, D]` values, or rows of a table that hold them.
        facts: names of the columns, with their decimals and bounds; values of a set without these stay as they are.
        clip: False leaves values outside the range.
    """
    if isinstance(x, Mapping):
        return {**x, "x": np.where(x["observed"], like_data(x["x"], facts, clip=clip), 0)}
    decimals, bounds = facts.get("decimals", {}), facts.get("bounds", {})
    if not (decimals or bounds):
        return x
    values = np.array(x, np.float64)
    for number, name in enumerate(facts["columns"]):
        column = values[..., number]
        column = np.round(column, decimals[name]) if name in decimals else column
        values[..., number] = np.clip(column, *bounds[name]) if clip and name in bounds else column
    return values.astype(np.float32)


def cells(x: np.ndarray, observed: np.ndarray, columns: Sequence[str], facts: Mapping[str, Any]) -> Cells:
    """Present values `[N, D]` with the names of columns and categories; a missing value is an empty cell."""
    categories, decimals = facts.get("categories", {}), facts.get("decimals", {})

    def cell(name: str, value: float) -> str:
        if known := categories.get(name):
            return known[round(value)] if 0 <= round(value) < len(known) else f"{value:.0f}"
        return f"{value:.6g}" if name not in decimals else _shortest(value)

    def row(values: np.ndarray, observed: np.ndarray) -> tuple[str, ...]:
        return tuple(cell(*one) if there else "" for *one, there in zip(columns, values, observed))

    return Cells(tuple(columns), tuple(map(row, x, observed)))


def _shortest(value: float) -> str:
    return np.format_float_positional(np.float32(value), trim="-")
