"""Pixels: values in [0, 1]."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from jaxvae.data.rows import Rows, blocks
from jaxvae.data.spaces.shown import Pictures
from jaxvae.data.spaces.values import as_values
from jaxvae.errors import InputError
from jaxvae.types import Array, Key

PixelKind: TypeAlias = Literal["binary", "ink", "grey"]
"""Meaning of a value: 0 or 1; a probability of ink, as MNIST in the literature; or a shade."""
INK = ("binary", "ink")
"""Kinds of pixels that a Bernoulli may score, and whose strokes can be measured."""


@dataclasses.dataclass(frozen=True)
class Pixels:
    """Images `[H, W, C]` or vectors `[D]` of values in [0, 1], stored as uint8 or as floats."""

    shape: tuple[int, ...]
    kind: PixelKind = "grey"
    binarize: bool = False
    """Sample each pixel from {0, 1} with its value as the probability (Burda et al. 2016, section 5)."""

    corruptions = ("noise", "masking", "salt_and_pepper")

    @property
    def likelihood(self) -> str:
        """Bernoulli for ink, a normal of one learned variance for shades."""
        return "bernoulli" if self.kind in INK else "normal_shared"

    def check(self, rows: Rows, what: str) -> None:
        """Refuse floats outside [0, 1]."""
        if rows.dtype != np.uint8 and not all(((block >= 0) & (block <= 1)).all() for block in blocks(rows)):
            raise InputError(f"{what} holds values outside [0, 1]; divide by the largest, or give --scale unit")

    def read(self, keys: Key | None, stored: Any) -> Any:
        """Scale to float32 in [0, 1], and binarize where there are keys and the space is binarized."""
        if self.binarize and keys is not None:
            stored = jax.vmap(_binarize)(keys, stored)
        return as_values(stored)

    def zeros(self, num: int) -> Array:
        """Return `[num, ...]` black images."""
        return jnp.zeros((num, *self.shape))

    def project(self, x: Array) -> Array:
        """Clip to [0, 1], also where pixels are binary: a learned input is a probability of ink."""
        return jnp.clip(x, 0, 1)

    def corrupt(self, key: Key, x: Array, corruption: Callable[..., Array], level: Any) -> Array:
        """Corrupt all values."""
        return corruption(key, x, level)

    def show(self, x: Any, facts: Mapping[str, Any]) -> Pictures:
        """Present pictures."""
        return Pictures(np.asarray(x))


def _binarize(key: Key, x: Array) -> Array:
    if x.dtype == jnp.uint8:
        # Half a word for each pixel: 16 random bits are below v / 255 of their range with that probability.
        words = jax.random.bits(key, (-(-x.size // 2),), jnp.uint32)
        halves = jnp.concatenate([words & 0xFFFF, words >> 16])[: x.size].reshape(x.shape)
        return jnp.where(halves * 255 < x.astype(jnp.uint32) << 16, 255, 0).astype(jnp.uint8)
    return (jax.random.uniform(key, x.shape) < x).astype(x.dtype)
