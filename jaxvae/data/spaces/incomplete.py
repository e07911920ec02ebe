"""Real numbers of which some are missing, such as a series with gaps."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from jaxvae.data.rows import Rows, blocks
from jaxvae.data.spaces.shown import Curves
from jaxvae.data.spaces.table import OBSERVED, X
from jaxvae.errors import InputError
from jaxvae.types import Array, Key


@dataclasses.dataclass(frozen=True)
class Incomplete:
    """Signals `{"x": [T, C] float32, "observed": [T, C] bool}`; a missing value is 0 and not observed."""

    shape: tuple[int, ...]

    kind = "real"
    likelihood = "normal_shared"
    corruptions = ("noise", "masking")
    has_gaps = True
    """Mark for the likelihood, which scores what is observed."""

    def check(self, rows: Mapping[str, Rows], what: str) -> None:
        """Refuse NaN, infinity, and values that are there and not observed."""
        for values, observed in zip(blocks(rows[X]), blocks(rows[OBSERVED])):
            if not np.isfinite(values).all() or values[~observed].any():
                raise InputError(f"{what} holds NaN, infinity, or values that are not observed; make these 0")

    def read(self, keys: Key | None, stored: Any) -> Any:
        """Return the values in float32, and where they are observed."""
        return {X: stored[X].astype(np.float32), OBSERVED: stored[OBSERVED].astype(bool)}

    def zeros(self, num: int) -> dict[str, Array]:
        """Return `num` examples of zeros, all observed."""
        return {X: jnp.zeros((num, *self.shape)), OBSERVED: jnp.ones((num, *self.shape), bool)}

    def project(self, x: Any) -> Any:
        """Refuse: a learned input would have to learn what is missing of it."""
        raise InputError("x: examples with gaps are not learned; use a prior without learned inputs")

    def corrupt(self, key: Key, x: Any, corruption: Callable[..., Array], level: Any) -> Any:
        """Corrupt the values that are observed."""
        return {**x, X: jnp.where(x[OBSERVED], corruption(key, x[X], level), 0)}

    def show(self, x: Any, facts: Mapping[str, Any]) -> Curves:
        """Present curves, with a gap where a value is missing."""
        del facts
        if isinstance(x, Mapping):
            return Curves(np.where(x[OBSERVED], x[X], np.nan))
        return Curves(np.asarray(x))
