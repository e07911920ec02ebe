"""Negative binomial distribution of counts, whose variance exceeds the mean; optionally with additional zeros."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp

from jaxvae import rng
from jaxvae.distributions.base import (
    Support,
    broadcast_floats,
    cast_like,
    check_value,
    distribution,
    draw_with,
    event_rows,
    static,
)
from jaxvae.distributions.bernoulli import softplus
from jaxvae.distributions.poisson import (
    at_counts,
    log_factorial_remainder,
    positive,
    sample_counts,
    stirling_remainder,
    times,
)
from jaxvae.types import Array, Key


@distribution
class NegativeBinomial:
    """Independent negative binomial variables of mean m and inverse dispersion t, of variance m + m^2 / t.

        p(x) = Gamma(x + t) / (Gamma(t) x!) (t / (t + m))^t (m / (t + m))^x        for x in 0, 1, 2, ...

    It is a Poisson distribution whose rate is gamma distributed; as t grows it becomes the Poisson distribution. With
    `zero_logits` l it is zero-inflated: x = 0 with probability sigmoid(l), else x is distributed as above.

    Reference: Lopez et al. 2018 (scVI), https://doi.org/10.1038/s41592-018-0229-2.
    """

    support: ClassVar[Support] = "counts"
    log_mean: Array
    """Logarithm of m, the mean before additional zeros."""
    log_inverse_dispersion: Array
    """Logarithm of t; broadcasts against `log_mean`."""
    zero_logits: Array | None = None
    """Logits of additional zeros, or None for none; they broadcast against `log_mean`."""
    event_ndim: int = static(default=1)

    @property
    def mean(self) -> Array:
        """Expected count, sigmoid(-l) m."""
        log_mean, _, *zero_logits = self._parameters()
        kept = jax.nn.sigmoid(-zero_logits[0]) if zero_logits else 1.0
        return cast_like(kept * jnp.exp(log_mean), self.log_mean)

    def sample(self, key: Key) -> Array:
        """Sample integers; not differentiable."""
        log_mean, log_total, *zero_logits = self._parameters()
        rate_key, count_key, zero_key = rng.sample_keys(key, 3)
        # The logarithm of a gamma variable is finite where a small t makes the variable itself 0.
        log_total = _capped(log_total, log_mean)
        log_rate = log_mean - log_total + draw_with(jax.random.loggamma, rate_key, jnp.exp(log_total))
        counts = sample_counts(count_key, jnp.exp(log_rate))
        if not zero_logits:
            return counts
        zero = draw_with(jax.random.bernoulli, zero_key, jax.nn.sigmoid(zero_logits[0]))
        return jnp.where(zero, 0, counts)

    def log_prob(self, value: Array) -> Array:
        """Return `[...]` nats."""
        parameters = self._parameters()
        check_value(value, parameters[0].shape, self.event_ndim)
        counts, log_mean, log_total, *zero_logits = event_rows(self.event_ndim, value, *parameters)
        at_zero, above_zero = _log_probs(positive(counts), log_mean, _capped(log_total, log_mean))
        if zero_logits:
            log_zero, log_kept = -softplus(-zero_logits[0]), -softplus(zero_logits[0])
            at_zero, above_zero = jnp.logaddexp(log_zero, log_kept + at_zero), log_kept + above_zero
        return at_counts(counts, at_zero, above_zero).sum(-1)

    def of_total(self, total: Array) -> NegativeBinomial:
        """Return the distribution whose means are multiplied by `[...]` totals."""
        return dataclasses.replace(self, log_mean=times(self.log_mean, total, self.event_ndim))

    def _parameters(self) -> list[Array]:
        zero_logits = [] if self.zero_logits is None else [self.zero_logits]
        return broadcast_floats(self.log_mean, self.log_inverse_dispersion, *zero_logits)


def _capped(log_total: Array, log_mean: Array) -> Array:
    # Beyond it, the distribution is a Poisson distribution to the last digit of float32, and exp would overflow.
    return jnp.minimum(log_total, jnp.maximum(60.0, log_mean + 17))


def _log_probs(count: Array, log_mean: Array, log_total: Array) -> tuple[Array, Array]:
    """Return log p(0) and log p(x) for positive x.

    The second is Loader's saddle-point form: the gamma functions of large arguments would lose each other's digits.
    """
    total = jnp.exp(log_total)
    at_zero = -total * softplus(log_mean - log_total)
    log_count = jnp.log(count)
    log_growth = softplus(log_count - log_total)  # log(1 + x / t)
    remainder = (
        stirling_remainder(count + total, log_total + log_growth)
        - stirling_remainder(total, log_total)
        - log_factorial_remainder(count)
        - 0.5 * log_growth
    )
    return at_zero, remainder - _deviance(count, log_count, total, log_mean, log_total)


def _deviance(count: Array, log_count: Array, total: Array, log_mean: Array, log_total: Array) -> Array:
    """Compute x log(x / m) - (x + t) log((x + t) / (m + t)), which is 0 where x = m.

    Near it, the second logarithm is computed from x / m, whose digits a large t would swallow.
    """
    log_over = log_mean - log_count
    shift = softplus(log_total - log_count) - softplus(log_total - log_mean)
    near = jnp.abs(shift - log_over) < 1
    close = jnp.where(near, log_over, 0.0)
    excess = -count * jnp.expm1(close) / (count * jnp.exp(close) + total)
    deviance = -count * close - (count + total) * jnp.log1p(excess)
    return jnp.where(near, deviance, total * log_over - (count + total) * shift)
