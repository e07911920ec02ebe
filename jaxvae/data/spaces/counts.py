"""Counts: whole numbers from 0 on."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from jaxvae.data.rows import Rows, blocks
from jaxvae.data.spaces.shown import Heat
from jaxvae.errors import InputError
from jaxvae.types import Array, Key


@dataclasses.dataclass(frozen=True)
class Counts:
    """Vectors `[D]` of counts in int32, such as the genes of a cell or the words of a document."""

    shape: tuple[int, ...]

    kind = "counts"
    likelihood = "negative_binomial"
    corruptions = ("masking",)

    def check(self, rows: Rows, what: str) -> None:
        """Refuse negative and fractional numbers, NaN, and what int32 cannot hold."""
        for block in blocks(rows):
            if block.dtype.kind == "f" and not np.isfinite(block).all():
                raise InputError(f"{what} holds NaN or infinity; a count is a whole number from 0 on")
            if block.min() < 0:
                raise InputError(f"{what} holds {block.min():g}; a count is not below 0")
            if block.dtype.kind == "f" and (block != np.floor(block)).any():
                fraction = block[block != np.floor(block)].flat[0]
                raise InputError(f"{what} holds {fraction:g}; give raw counts, or save real numbers as 'x'")
            if block.max() >= 2**31:
                raise InputError(f"{what} holds {block.max():g}; counts must be below {2**31}")

    def read(self, keys: Key | None, stored: Any) -> Any:
        """Convert to int32."""
        return stored.astype(np.int32)

    def zeros(self, num: int) -> Array:
        """Return `[num, D]` zeros."""
        return jnp.zeros((num, *self.shape), jnp.int32)

    def project(self, x: Array) -> Array:
        """Raise values to 0; learned inputs stay between whole numbers, where they have a gradient."""
        return jnp.maximum(x, 0)

    def corrupt(self, key: Key, x: Array, corruption: Callable[..., Array], level: Any) -> Array:
        """Corrupt all counts."""
        return corruption(key, x, level)

    def show(self, x: Any, facts: Mapping[str, Any]) -> Heat:
        """Present counts, or their means, as brightness."""
        return Heat(np.asarray(x))
