"""All mass at one point: what a plain autoencoder's encoder returns."""

from __future__ import annotations

from typing import ClassVar

import jax.numpy as jnp

from jaxvae.distributions.base import Support, distribution, event_rows, static
from jaxvae.types import Array, Key


@distribution
class Delta:
    """A point mass. It has no density; `log_prob` counts 0 at the point and -inf elsewhere.

    So the "KL" of a delta posterior is -log p(z): the prior's pull on the code, the point's infinite entropy left out.
    """

    support: ClassVar[Support] = "any"
    mean: Array
    event_ndim: int = static(default=1)

    def sample(self, key: Key) -> Array:
        """The point itself."""
        return self.mean

    def log_prob(self, value: Array) -> Array:
        """`[...]` 0 at the point, -inf elsewhere."""
        value, mean = event_rows(self.event_ndim, value, self.mean)
        return jnp.where(value == mean, 0.0, -jnp.inf).sum(-1)
