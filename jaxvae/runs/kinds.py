"""Kinds of a table's columns, in lines that are printed before a training."""

from __future__ import annotations

from typing import Any

import numpy as np

from jaxvae.data import Dataset
from jaxvae.data.spaces import Table
from jaxvae.data.spaces.table import OBSERVED

MOST_LINES, MOST_WORDS = 40, 4
"""Most columns with a line each, and most words of a column that are named."""


def kinds_of_columns(data: Dataset) -> list[str]:
    """Return a line for each column of a table: name, kind, values and number of missing ones; none of other data."""
    if not isinstance(data.space, Table):
        return []
    names, kinds = data.facts.get("columns", []), data.space.kinds
    missing = sum(
        (~np.asarray(split.x[OBSERVED][:])).sum(0) for split in (data.train, data.validation, data.test) if split
    )
    width, of_kind = max(map(len, [*names, ""])), max(map(len, [*kinds, ""]))
    lines = [
        f"  {name:{width}}  {kind:{of_kind}}  {_values(name, data.facts)}{_missing(num)}".rstrip()
        for name, kind, num in zip(names, kinds, np.ravel(missing))
    ]
    more = [f"  and {len(lines) - MOST_LINES} columns more"] if len(lines) > MOST_LINES else []
    return ["columns, whose kinds --columns changes:", *lines[:MOST_LINES], *more]


def _values(name: str, facts: Any) -> str:
    if words := facts.get("categories", {}).get(name):
        rest = f", ... ({len(words)})" if len(words) > MOST_WORDS else ""
        return ", ".join(words[:MOST_WORDS]) + rest
    low, high = facts.get("bounds", {}).get(name, (np.nan, np.nan))
    return "" if np.isnan(low) else f"{low:g} to {high:g}"


def _missing(num: int) -> str:
    return f"; {num:,} missing" if num else ""
