"""Point mass, the posterior of a plain autoencoder."""

from __future__ import annotations

from typing import ClassVar

import jax.numpy as jnp

from jaxvae.distributions.base import Support, distribution, event_rows, static
from jaxvae.types import Array, Key


@distribution
class Delta:
    """Point mass. It has no density; `log_prob` is 0 at the point and -inf elsewhere.

    The "KL" of a delta posterior is therefore -log p(z), without the point's infinite negative entropy.
    """

    support: ClassVar[Support] = "any"
    has_density: ClassVar[bool] = False
    has_kl: ClassVar[bool] = False
    mean: Array
    event_ndim: int = static(default=1)

    def sample(self, key: Key) -> Array:
        """Return the point."""
        return self.mean

    def log_prob(self, value: Array) -> Array:
        """Return `[...]`, 0 at the point and -inf elsewhere."""
        value, mean = event_rows(self.event_ndim, value, self.mean)
        return jnp.where(value == mean, 0.0, -jnp.inf).sum(-1)
