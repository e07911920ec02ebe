"""Log-normal distribution of positive numbers."""

from __future__ import annotations

from typing import ClassVar

import jax.numpy as jnp

from jaxvae.distributions.base import Support, broadcast_floats, cast_like, distribution, event_rows, static
from jaxvae.distributions.normal import LOG_2PI, reparameterize
from jaxvae.types import Array, Key


@distribution
class LogNormal:
    """Independent variables x > 0 whose logarithms are normal.

        log p(x) = sum [ log N(log x; log_median, exp(log_var)) - log x ]

    Any other number has probability 0.
    """

    support: ClassVar[Support] = "positive"
    log_median: Array
    """Mean of log x, the logarithm of the median."""
    log_var: Array
    """Logarithm of the variance of log x; broadcasts against `log_median`."""
    event_ndim: int = static(default=1)

    @property
    def mean(self) -> Array:
        """Expectation, exp(log_median + variance / 2), larger than the median."""
        log_median, log_var = broadcast_floats(self.log_median, self.log_var)
        return cast_like(jnp.exp(log_median + 0.5 * jnp.exp(log_var)), self.log_median)

    @property
    def point(self) -> Array:
        """Median, which unlike the mean is of the size of most samples."""
        log_median, _ = broadcast_floats(self.log_median, self.log_var)
        return cast_like(jnp.exp(log_median), self.log_median)

    def sample(self, key: Key) -> Array:
        """Sample with the reparameterization trick."""
        log_median, log_var = jnp.broadcast_arrays(self.log_median, self.log_var)
        return jnp.exp(reparameterize(key, log_median, log_var))

    def log_prob(self, value: Array) -> Array:
        """Return `[...]` nats."""
        value, log_median, log_var = event_rows(self.event_ndim, value, self.log_median, self.log_var)
        positive = value > 0
        log_value = jnp.log(jnp.where(positive, value, 1.0))
        residual = (log_value - log_median) * jnp.exp(-0.5 * log_var)
        log_prob = -0.5 * (LOG_2PI + log_var + jnp.square(residual)) - log_value
        return jnp.where(positive, log_prob, -jnp.inf).sum(-1)
