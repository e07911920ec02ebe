"""Tables: columns of numbers and of categories, with missing values."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from jaxvae.data.rows import Rows, blocks
from jaxvae.data.spaces.shown import Cells
from jaxvae.errors import InputError
from jaxvae.types import Array, Key

X, OBSERVED = "x", "observed"
"""Names of an example's arrays: `[D]` float32 values, and `[D]` booleans that are True where a value is known."""


@dataclasses.dataclass(frozen=True)
class Table:
    """Rows of D columns, `{"x": [D] float32, "observed": [D] bool}`; a missing value is 0 and not observed."""

    columns: tuple[int, ...]
    """`[D]` number of categories of each column, 0 for real numbers; a category is stored as its number."""
    digest: str = ""
    """Digest of the names of columns and categories."""

    kind = "table"
    likelihood = "columns"
    corruptions = ("noise", "masking")

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of a row's values, `(D,)`."""
        return (len(self.columns),)

    def check(self, rows: Mapping[str, Rows], what: str) -> None:
        """Refuse NaN, infinity, values that are there and not observed, and numbers of no category."""
        sizes = np.array(self.columns)
        for values, observed in zip(blocks(rows[X]), blocks(rows[OBSERVED])):
            if not np.isfinite(values).all():
                raise InputError(f"{what} holds NaN or infinity; a missing value is an empty cell")
            if values[~observed].any():
                raise InputError(f"{what} holds values that are not observed; make them 0")
            codes = values[:, sizes > 0]
            if ((codes < 0) | (codes >= sizes[sizes > 0]) | (codes != np.floor(codes))).any():
                raise InputError(f"{what} holds numbers of no category; number each column's categories from 0 on")

    def read(self, keys: Key | None, stored: Any) -> Any:
        """Return the values in float32, and where they are observed."""
        return {X: stored[X].astype(np.float32), OBSERVED: stored[OBSERVED].astype(bool)}

    def zeros(self, num: int) -> dict[str, Array]:
        """Return `num` rows of zeros, all observed."""
        return {X: jnp.zeros((num, *self.shape)), OBSERVED: jnp.ones((num, *self.shape), bool)}

    def project(self, x: Any) -> Any:
        """Refuse: there is nothing between two categories."""
        raise InputError("x: rows of a table have no values in between; use a prior without learned inputs")

    def corrupt(self, key: Key, x: Any, corruption: Callable[..., Array], level: Any) -> Any:
        """Corrupt the real numbers that are observed."""
        touched = x[OBSERVED] & (np.array(self.columns) == 0)
        return {**x, X: jnp.where(touched, corruption(key, x[X], level), x[X])}

    def show(self, x: Any, facts: Mapping[str, Any]) -> Cells:
        """Present cells with the names of columns and categories; a missing value is an empty cell."""
        values = np.asarray(x[X] if isinstance(x, Mapping) else x)
        observed = np.asarray(x[OBSERVED]) if isinstance(x, Mapping) else np.ones(values.shape, bool)
        names = tuple(facts.get("columns", map(str, range(len(self.columns)))))
        categories = facts.get("categories", {})

        def cell(column: int, value: float) -> str:
            known = categories.get(names[column])
            if self.columns[column] == 0:
                return f"{value:.6g}"
            return known[round(value)] if known and 0 <= round(value) < len(known) else f"{value:.0f}"

        def row(values: np.ndarray, observed: np.ndarray) -> tuple[str, ...]:
            return tuple(cell(i, value) if there else "" for i, (value, there) in enumerate(zip(values, observed)))

        return Cells(names, tuple(map(row, values, observed)))
