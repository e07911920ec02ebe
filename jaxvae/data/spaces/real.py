"""Real numbers: vectors, signals and images without bounds."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from jaxvae.data.rows import Rows, blocks
from jaxvae.data.spaces.cells import cells
from jaxvae.data.spaces.shown import Cells, Curves, Pictures
from jaxvae.data.spaces.values import as_values
from jaxvae.errors import InputError
from jaxvae.types import Array, Key


@dataclasses.dataclass(frozen=True)
class Real:
    """Vectors `[D]`, signals `[T]` or `[T, C]`, or images `[H, W, C]` of any real numbers."""

    shape: tuple[int, ...]

    kind = "real"
    likelihood = "normal_shared"
    corruptions = ("noise", "masking")

    def check(self, rows: Rows, what: str) -> None:
        """Refuse NaN and infinity."""
        if not all(np.isfinite(block).all() for block in blocks(rows)):
            raise InputError(f"{what} holds NaN or infinity; remove these rows, or give a table with empty cells")

    def read(self, keys: Key | None, stored: Any) -> Any:
        """Convert to float32."""
        return as_values(stored)

    def zeros(self, num: int) -> Array:
        """Return `[num, ...]` zeros."""
        return jnp.zeros((num, *self.shape))

    def project(self, x: Array) -> Array:
        """Return x: every real number is legal."""
        return x

    def corrupt(self, key: Key, x: Array, corruption: Callable[..., Array], level: Any) -> Array:
        """Corrupt all values."""
        return corruption(key, x, level)

    def show(self, x: Any, facts: Mapping[str, Any]) -> Pictures | Curves | Cells:
        """Present images as pictures, named columns as cells, and all else as curves."""
        x = np.asarray(x)
        if x.ndim == 4:
            return Pictures(x)
        if "columns" in facts:
            return cells(x, np.ones(x.shape, bool), facts["columns"], facts)
        return Curves(x)
