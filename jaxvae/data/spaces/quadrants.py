"""Quadrants of an image, of which a model sees some and completes the others."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from jaxvae.data.rows import Rows
from jaxvae.data.spaces.shown import Pictures
from jaxvae.data.spaces.values import as_values
from jaxvae.types import Array, Key

QUADRANTS = ("top-left", "top-right", "bottom-left", "bottom-right")
"""Names of the quadrants; of an odd side the larger half is at the bottom and on the right."""


@dataclasses.dataclass(frozen=True)
class Quadrants:
    """Images `[H, W, C]` of which some quadrants are seen; all other pixels are 0.

    They are part of the examples, so nothing is stored: `of` takes them from x as the model gets it.
    """

    shape: tuple[int, ...]
    seen: tuple[str, ...]
    """Names of the quadrants that are seen, of `QUADRANTS`."""

    kind = "quadrants"
    likelihood = "normal_shared"
    corruptions = ()

    @property
    def hidden(self) -> tuple[str, ...]:
        """Names of the quadrants that are not seen."""
        return tuple(name for name in QUADRANTS if name not in self.seen)

    @property
    def mask(self) -> np.ndarray:
        """Mask `[H, W, 1]`, True where a pixel is seen."""
        mask = np.zeros((*self.shape[:2], 1), bool)
        for name in self.seen:
            mask[self._place(name)] = True
        return mask

    @property
    def num_hidden(self) -> int:
        """Number of values that are not seen."""
        return int((~self.mask).sum()) * math.prod(self.shape[2:])

    def of(self, x: Array) -> Array:
        """Return what is seen of images `[..., H, W, C]`, in the same shape."""
        return jnp.where(self.mask, x, jnp.zeros((), x.dtype))

    def crop(self, name: str, images: Any) -> Any:
        """Return one quadrant of images `[..., H, W, C]`."""
        return images[(..., *self._place(name), slice(None))]

    def check(self, rows: Rows, what: str) -> None:
        """Accept all rows, which the space of the examples has checked."""

    def read(self, keys: Key | None, stored: Any) -> Any:
        """Scale to float32."""
        return as_values(stored)

    def zeros(self, num: int) -> Array:
        """Return `[num, ...]` images of which nothing is seen."""
        return jnp.zeros((num, *self.shape))

    def project(self, x: Array) -> Array:
        """Hide what is not seen."""
        return self.of(x)

    def corrupt(self, key: Key, x: Array, corruption: Callable[..., Array], level: Any) -> Array:
        """Leave what is seen as it is."""
        return x

    def show(self, x: Any, facts: Mapping[str, Any]) -> Pictures:
        """Present pictures."""
        return Pictures(np.asarray(x))

    def _place(self, name: str) -> tuple[slice, slice]:
        """Return the rows and columns of a quadrant."""
        vertical, horizontal = name.split("-")
        height, width = (side // 2 for side in self.shape[:2])
        rows = slice(height) if vertical == "top" else slice(height, None)
        return rows, slice(width) if horizontal == "left" else slice(width, None)
