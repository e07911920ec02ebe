"""Rows of a table in the form of a run's data: columns by name, with their own decimals, bounds and words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from jaxvae.data.spaces.cells import like_data
from jaxvae.data.spaces.table import OBSERVED, X
from jaxvae.errors import InputError
from jaxvae.model import draw_each
from jaxvae.runs.run import Run


def sample_rows(run: Run, num: int, *, seed: int = 0, condition: str | None = None) -> dict[str, np.ndarray]:
    """Return `num` rows drawn from p(x|z) at z ~ p(z), as columns by name.

    Categories are drawn and not the likeliest, whole numbers are whole, and all numbers have the decimals and the
    range of the data. No cell is missing.

    Args:
        run: trained model of a table.
        num: number of rows.
        seed: seed of the noise.
        condition: condition of all rows, of a conditional run.

    Raises:
        InputError: the run learned no table, or wants a condition.
    """
    check_table(run)
    return as_columns(run, run.sampled(draw_each, num, seed=seed, condition=condition))


def check_table(run: Run) -> None:
    """Refuse a run whose examples are no rows of named columns.

    Raises:
        InputError: they are of another kind.
    """
    if "columns" not in run.facts.get("names", {}):
        raise InputError(
            f"run-dir: its examples are {run.space.kind}, not rows of a table; train a .csv or .parquet file"
        )


def as_columns(
    run: Run, x: Any, *, generated: bool = True, own_units: bool = False, clip: bool = True
) -> dict[str, np.ndarray]:
    """Return rows as columns by name in the form of the run's data.

    Args:
        run: trained model of a table.
        x: rows as the model has them.
        generated: False for rows of the data, which come back as they were.
        own_units: True where the values are in the data's units already.
        clip: False leaves values outside the range of the data.
    """
    names = run.facts.get("names", {})
    own = like_data(x if own_units else run.in_own_units(x, generated=generated), names, clip=clip)
    values, observed = (own[X], own[OBSERVED]) if isinstance(own, Mapping) else (own, np.ones(own.shape, bool))
    columns = zip(names["columns"], values.T, observed.T)
    return {name: _typed(name, column, there, names) for name, column, there in columns}


def _typed(name: str, values: np.ndarray, observed: np.ndarray, names: Mapping[str, Any]) -> np.ndarray:
    """Return a column as words, integers or floats; a missing value is an empty word or NaN."""
    if categories := names.get("categories", {}).get(name):
        words = np.array([categories[int(value)] if there else "" for value, there in zip(values, observed)])
        are_numbers = observed.all() and all(word.lstrip("-").isdecimal() for word in categories)
        return words.astype(np.int64) if are_numbers else words
    decimals = names.get("decimals", {}).get(name)
    if decimals == 0 and observed.all():
        return values.astype(np.int64)
    values = np.where(observed, values.astype(np.float64), np.nan)
    return values if decimals is None else np.round(values, decimals)
