"""Poisson distribution of counts, with the logarithm of the rate."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from jaxvae.distributions.base import (
    Support,
    at_least_float32,
    cast_like,
    check_value,
    distribution,
    draw_with,
    event_rows,
    static,
)
from jaxvae.distributions.bernoulli import softplus
from jaxvae.types import Array, Key

HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)
MAX_RATE = 2.0**30
"""Largest rate that is sampled as it is: a count has to fit an int32."""


@distribution
class Poisson:
    """Independent Poisson variables, log p(x) = sum [ x log_rate - exp(log_rate) - log x! ] for x in 0, 1, 2, ...

    Any other number has probability 0.
    """

    support: ClassVar[Support] = "counts"
    log_rate: Array
    event_ndim: int = static(default=1)

    @property
    def mean(self) -> Array:
        """Rate."""
        return cast_like(jnp.exp(at_least_float32(self.log_rate)), self.log_rate)

    def sample(self, key: Key) -> Array:
        """Sample integers; not differentiable."""
        return sample_counts(key, jnp.exp(at_least_float32(self.log_rate)))

    def log_prob(self, value: Array) -> Array:
        """Return `[...]` nats."""
        check_value(value, jnp.shape(self.log_rate), self.event_ndim)
        counts, log_rate = event_rows(self.event_ndim, value, self.log_rate)
        return at_counts(counts, -jnp.exp(log_rate), _log_prob_above_zero(positive(counts), log_rate)).sum(-1)

    def of_total(self, total: Array) -> Poisson:
        """Return the distribution whose rates are multiplied by `[...]` totals."""
        return dataclasses.replace(self, log_rate=times(self.log_rate, total, self.event_ndim))


def _log_prob_above_zero(count: Array, log_rate: Array) -> Array:
    # Loader's saddle-point form: x log_rate, exp(log_rate) and log x! are of one size and lose each other's digits.
    log_ratio = log_rate - jnp.log(count)
    return -count * (jnp.expm1(log_ratio) - log_ratio) - log_factorial_remainder(count)


def times(log_mean: Array, total: Array, event_ndim: int) -> Array:
    """Return logarithms of means `[..., *event]` that are multiplied by totals `[...]`, at least 1."""
    # An example without counts has a total of 0, whose logarithm has no gradient.
    return at_least_float32(log_mean) + jnp.log(jnp.maximum(total, 1.0)).reshape(*jnp.shape(total), *[1] * event_ndim)


def positive(counts: Array) -> Array:
    """Replace what is no count above 0 by 1, so that its logarithm is finite."""
    return jnp.where(is_count(counts) & (counts > 0), counts, 1.0)


def at_counts(counts: Array, at_zero: Array, above_zero: Array) -> Array:
    """Select log-probabilities for 0 and for positive counts; -inf for what is no count."""
    return jnp.where(is_count(counts), jnp.where(counts == 0, at_zero, above_zero), -jnp.inf)


def is_count(value: Array) -> Array:
    """Return True where a number is a count."""
    return (value >= 0) & (value % 1 == 0)


def log_factorial_remainder(count: Array) -> Array:
    """Compute log x! - (x log x - x) for x above 0, about log(2 pi x) / 2."""
    return stirling_remainder(count, jnp.log(count)) + HALF_LOG_2PI + 0.5 * jnp.log(count)


def stirling_remainder(x: Array, log_x: Array) -> Array:
    """Compute log Gamma(x) - [ (x - 1/2) log x - x + log(2 pi) / 2 ] from x and its logarithm; near 0 for large x.

    It has no pole that a large x or t would have to subtract, and the logarithm stays exact where x itself is 0.

    Reference: Abramowitz & Stegun 1964, equation 6.1.48 (a continued fraction), after two steps of the recurrence.
    """
    remainder = (x + 0.5) * softplus(-log_x) - 1 + (x + 1.5) * jnp.log1p(1 / (x + 1)) - 1
    x = x + 2
    return remainder + 1 / 12 / (x + 1 / 30 / (x + 53 / 210 / (x + 195 / 371 / x)))


def sample_counts(key: Key, rate: Array) -> Array:
    """Sample Poisson variables as int32, from one key or one per leading index."""

    def sampler(key: Key, rate: Array) -> Any:
        return jax.random.poisson(key, rate, dtype=jnp.int32)

    return draw_with(sampler, key, jnp.minimum(rate, MAX_RATE))
