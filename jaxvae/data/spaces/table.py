"""Tables: columns of numbers and of categories, with missing values."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from jaxvae.data.rows import Rows, blocks
from jaxvae.data.spaces.cells import cells
from jaxvae.data.spaces.shown import Cells
from jaxvae.errors import InputError
from jaxvae.types import Array, Key

REAL, INTEGER, POSITIVE, COUNT, CATEGORICAL, ORDINAL = KINDS = (
    "real",
    "integer",
    "positive",
    "count",
    "categorical",
    "ordinal",
)
"""Kinds of columns: any numbers, whole numbers, numbers above 0, numbers of things, and categories without or with an
order."""
SCALED = (REAL, INTEGER)
"""Kinds whose numbers are shifted and scaled."""
X, OBSERVED = "x", "observed"
"""Names of an example's arrays: `[D]` float32 values, and `[D]` booleans that are True where a value is known."""


@dataclasses.dataclass(frozen=True)
class Table:
    """Rows of D columns, `{"x": [D] float32, "observed": [D] bool}`; a missing value is 0 and not observed."""

    columns: tuple[int, ...]
    """`[D]` number of categories of each column, 0 for numbers; a category is stored as its number."""
    digest: str = ""
    """Digest of the names of columns and categories."""
    kinds: tuple[str, ...] = ()
    """`[D]` kind of each column, one of `KINDS`; where none are given, real or categorical."""

    kind = "table"
    likelihood = "columns"
    corruptions = ("noise", "masking")

    def __post_init__(self) -> None:
        """Fill in the kinds of columns that have none."""
        if not self.kinds:
            object.__setattr__(self, "kinds", tuple(CATEGORICAL if size else REAL for size in self.columns))

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of a row's values, `(D,)`."""
        return (len(self.columns),)

    def of_kind(self, *kinds: str) -> np.ndarray:
        """Return `[D]` True for the columns of these kinds."""
        return np.isin(self.kinds, kinds)

    def check(self, rows: Mapping[str, Rows], what: str) -> None:
        """Refuse NaN, infinity, values that are there and not observed, and numbers that are none of their kind."""
        sizes, counts, positive = np.array(self.columns), self.of_kind(COUNT), self.of_kind(POSITIVE)
        for values, observed in zip(blocks(rows[X]), blocks(rows[OBSERVED])):
            if not np.isfinite(values).all():
                raise InputError(f"{what} holds NaN or infinity; a missing value is an empty cell")
            if values[~observed].any():
                raise InputError(f"{what} holds values that are not observed; make them 0")
            codes = values[:, sizes > 0]
            if ((codes < 0) | (codes >= sizes[sizes > 0]) | (codes != np.floor(codes))).any():
                raise InputError(f"{what} holds numbers of no category; number each column's categories from 0 on")
            if ((values[:, counts] < 0) | (values[:, counts] % 1 != 0)).any():
                raise InputError(f"{what} holds numbers that are no counts; use whole numbers from 0 on, or kind real")
            if (values[:, positive] <= 0)[observed[:, positive]].any():
                raise InputError(f"{what} holds numbers of 0 or below in a column of positive ones; use kind real")

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
        """Corrupt the real and whole numbers that are observed."""
        touched = x[OBSERVED] & self.of_kind(*SCALED)
        return {**x, X: jnp.where(touched, corruption(key, x[X], level), x[X])}

    def show(self, x: Any, facts: Mapping[str, Any]) -> Cells:
        """Present cells with the names of columns and categories; a missing value is an empty cell."""
        values = np.asarray(x[X] if isinstance(x, Mapping) else x)
        observed = np.asarray(x[OBSERVED]) if isinstance(x, Mapping) else np.ones(values.shape, bool)
        names = tuple(facts.get("columns", map(str, range(len(self.columns)))))
        return cells(values, observed, names, facts)
