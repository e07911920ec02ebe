"""Distribution of an image of which a part is known."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, Protocol

import jax
import jax.numpy as jnp

from jaxvae.distributions.base import at_least_float32, check_value, distribution
from jaxvae.distributions.flags import is_normalized
from jaxvae.types import Array, Distribution, Key


class Seen(Protocol):
    """Interface of the part of an image that is seen, such as `data.spaces.Quadrants`; it hashes."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape `(H, W, C)` of an image."""
        ...

    @property
    def mask(self) -> Any:
        """Mask `[H, W, 1]`, True where a pixel is seen."""
        ...

    @property
    def hidden(self) -> Sequence[str]:
        """Names of the rectangles that make up the rest."""
        ...

    def crop(self, name: str, images: Any) -> Any:
        """Return one of these of images `[..., H, W, C]`."""
        ...


@distribution
class Completed:
    """Image of which a part is seen, log p(x) = sum over hidden pixels i of log p_i(x_i).

    Pixels are independent given z, so that this is the conditional distribution given what is seen.

    Reference: Sohn, Lee & Yan 2015, https://papers.nips.cc/paper/5775, section 5.1.
    """

    pixels: Distribution
    """Distribution of all pixels, whose parameters are `[..., H, W, C]`."""
    given: Array
    """`[..., H, W, C]` images, of which what is seen counts."""
    seen: Seen = dataclasses.field(metadata={"static": True})

    @property
    def support(self) -> Any:
        """Values that a pixel can have."""
        return getattr(self.pixels, "support", "any")

    @property
    def normalized(self) -> bool:
        """False where the distribution of the pixels is not normalised."""
        return is_normalized(self.pixels)

    @property
    def event_ndim(self) -> int:
        """Number of axes of an image."""
        return len(self.seen.shape)

    @property
    def mean(self) -> Array:
        """Mean of the hidden pixels, and what is seen as it is."""
        return self._with_seen(self.pixels.mean)

    def sample(self, key: Key) -> Array:
        """Sample the hidden pixels."""
        return self._with_seen(self.pixels.sample(key))

    def log_prob(self, value: Array) -> Array:
        """Return `[...]` nats of the hidden pixels alone."""
        value = at_least_float32(value)
        check_value(value, self.seen.shape, self.event_ndim)
        parts = (self._part(name).log_prob(self.seen.crop(name, value)) for name in self.seen.hidden)
        return sum(parts, jnp.zeros((), value.dtype))

    def _part(self, name: str) -> Any:
        """Return the distribution of one rectangle."""
        return jax.tree.map(lambda leaf: self.seen.crop(name, leaf), self.pixels)

    def _with_seen(self, pixels: Array) -> Array:
        return jnp.where(self.seen.mask, self.given, pixels)
