"""Gaussian processes at given times, as the distribution of a vector that holds several series."""

from __future__ import annotations

from typing import ClassVar

import jax
import jax.numpy as jnp

from jaxvae.distributions.base import Support, at_least_float32, check_value, distribution, draw
from jaxvae.distributions.kl import register_kl
from jaxvae.distributions.normal import LOG_2PI, Normal
from jaxvae.types import Array, Key


@distribution
class GaussianProcess:
    """Independent series z_s ~ N(0, K_s) of T steps each, one behind another in a vector of S T values."""

    support: ClassVar[Support] = "real"
    cholesky: Array
    """`[S, T, T]` Cholesky factors of the covariances."""
    precision: Array
    """`[S, T, T]` inverses of the covariances."""

    @property
    def event_ndim(self) -> int:
        """Number of axes of one event, a vector."""
        return 1

    @property
    def mean(self) -> Array:
        """Return `[S T]` zeros."""
        return jnp.zeros(self.cholesky.shape[0] * self.cholesky.shape[1])

    def sample(self, key: Key) -> Array:
        """Sample L eps for each series."""
        noise = draw(jax.random.normal, key, self.mean.shape, self.mean.dtype).reshape(self.cholesky.shape[:2])
        return jnp.einsum("sij,sj->si", self.cholesky, noise).reshape(-1)

    def log_prob(self, value: Array) -> Array:
        """Return `[...]` nats."""
        check_value(value, self.mean.shape, self.event_ndim)
        return -0.5 * (self._squares(value) + self._log_det() + self.mean.size * LOG_2PI)

    def _squares(self, value: Array) -> Array:
        """Return `[...]` sum_s z_s^T K_s^-1 z_s."""
        series = at_least_float32(value).reshape(*value.shape[:-1], *self.cholesky.shape[:2])
        return jnp.einsum("...si,sij,...sj->...", series, self.precision, series)

    def _log_det(self) -> Array:
        return 2 * jnp.log(jnp.diagonal(self.cholesky, axis1=-2, axis2=-1)).sum()


@register_kl(Normal, GaussianProcess, separates=False)
def _normal_gaussian_process(q: Normal, p: GaussianProcess) -> Array:
    """Compute 1/2 [ tr(K^-1 V) + m^T K^-1 m - S T + log det K - log det V ], `[..., 1]` nats."""
    mean, log_var = jnp.broadcast_arrays(at_least_float32(q.mean), at_least_float32(q.log_var))
    trace = (jnp.diagonal(p.precision, axis1=-2, axis2=-1).reshape(-1) * jnp.exp(log_var)).sum(-1)
    return 0.5 * (trace + p._squares(mean) - mean.shape[-1] + p._log_det() - log_var.sum(-1))[..., None]
