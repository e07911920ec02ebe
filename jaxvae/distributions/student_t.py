"""Student's t distribution, whose heavy tails forgive outliers."""

from __future__ import annotations

from typing import ClassVar

import jax
import jax.numpy as jnp

from jaxvae import rng
from jaxvae.distributions.base import (
    Support,
    broadcast_floats,
    cast_like,
    distribution,
    draw,
    draw_with,
    event_rows,
    static,
)
from jaxvae.distributions.normal import LOG_2PI
from jaxvae.distributions.poisson import stirling_remainder
from jaxvae.types import Array, Key


@distribution
class StudentT:
    """Independent t variables of v degrees of freedom, t = (x - mean) / s.

        p(x) = Gamma((v + 1) / 2) / (Gamma(v / 2) sqrt(pi v) s) (1 + t^2 / v)^(-(v + 1) / 2)

    As v grows it becomes the normal. `mean` is the centre, which is the expectation where v is above 1.
    """

    support: ClassVar[Support] = "real"
    mean: Array
    log_scale: Array
    """Logarithm of s."""
    log_degrees: Array
    """Logarithm of v."""
    event_ndim: int = static(default=1)

    def sample(self, key: Key) -> Array:
        """Sample as a normal variable over the root of a gamma variable; differentiable in all parameters."""
        mean, log_scale, log_degrees = broadcast_floats(self.mean, self.log_scale, self.log_degrees)
        noise_key, gamma_key = rng.sample_keys(key, 2)
        noise = draw(jax.random.normal, noise_key, mean.shape, mean.dtype)
        half = 0.5 * jnp.exp(log_degrees)
        log_gamma = draw_with(jax.random.loggamma, gamma_key, half)
        return cast_like(mean + jnp.exp(log_scale + 0.5 * (jnp.log(half) - log_gamma)) * noise, self.mean)

    def log_prob(self, value: Array) -> Array:
        """Return `[...]` nats."""
        value, mean, log_scale, log_degrees = event_rows(
            self.event_ndim, value, self.mean, self.log_scale, self.log_degrees
        )
        half = 0.5 * jnp.exp(log_degrees)
        log_half = jnp.log(half)
        squared = jnp.square((value - mean) * jnp.exp(-log_scale))
        # The two gamma functions of a large v cancel: what is left of them is computed from Stirling's remainders.
        constant = (
            half * jnp.log1p(0.5 / half)
            - 0.5
            + stirling_remainder(half + 0.5, jnp.log(half + 0.5))
            - stirling_remainder(half, log_half)
        )
        return (constant - 0.5 * LOG_2PI - log_scale - (half + 0.5) * jnp.log1p(0.5 * squared / half)).sum(-1)
