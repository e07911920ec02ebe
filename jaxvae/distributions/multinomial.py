"""Multinomial distribution: how often each of V categories is drawn, such as the words of a document."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

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
)
from jaxvae.distributions.poisson import is_count, log_factorial_remainder, positive
from jaxvae.types import Array, Key


@distribution
class Multinomial:
    """Counts of n independent draws, log p(x) = log n! - sum_v log x_v! + sum_v x_v log softmax(logits)_v.

    The multinomial coefficient is kept: x is a bag of words, not a row of them. A value that does not sum to n has
    probability 0.
    """

    support: ClassVar[Support] = "counts"
    event_ndim: ClassVar[int] = 1
    logits: Array
    """`[..., V]` logits."""
    total: Array
    """`[...]` number n of draws; broadcasts against the leading axes of `logits`."""

    @property
    def mean(self) -> Array:
        """Expected counts n softmax(logits)."""
        shares = jax.nn.softmax(at_least_float32(self.logits))
        return cast_like(at_least_float32(self.total)[..., None] * shares, self.logits)

    @property
    def chances(self) -> Array:
        """Share `[..., V]` of each category among those from it on: given the ones before, counts are binomial."""
        shares = jax.nn.softmax(at_least_float32(self.logits))
        rest = jnp.cumsum(shares[..., ::-1], -1)[..., ::-1]
        return jnp.clip(shares / jnp.where(rest > 0, rest, 1.0), 0.0, 1.0)

    def sample(self, key: Key) -> Array:
        """Sample integers; not differentiable."""
        chances = self.chances
        totals = jnp.broadcast_to(at_least_float32(self.total), chances.shape[:-1])
        return draw_with(_sample, key, totals, chances).astype(jnp.int32)

    def log_prob(self, value: Array) -> Array:
        """Return `[...]` nats."""
        log_shares = jax.nn.log_softmax(at_least_float32(self.logits))
        check_value(value, log_shares.shape, self.event_ndim)
        counts, log_shares = event_rows(self.event_ndim, value, log_shares)
        valid = is_count(counts).all(-1)
        num = jnp.where(is_count(counts), counts, 0.0).sum(-1)
        total = at_least_float32(self.total)
        # Large sums in float32 may differ in their last digit.
        valid &= jnp.abs(num - total) <= 0.5 + 1e-6 * total
        return jnp.where(valid, _log_prob(counts, num, log_shares), -jnp.inf)

    def of_total(self, total: Array) -> Multinomial:
        """Return the same distribution of another number of draws `[...]`."""
        return dataclasses.replace(self, total=total)


def _sample(key: Key, totals: Array, chances: Array) -> Array:
    """Sample one category after the other, each a binomial part of the draws that are left."""

    def draw(left: Array, category: tuple[Array, Array]) -> tuple[Array, Array]:
        number, chance = category
        count = jax.random.binomial(jax.random.fold_in(key, number), left, chance)
        return left - count, count

    numbers = jnp.arange(chances.shape[-1])
    return jnp.moveaxis(jax.lax.scan(draw, totals, (numbers, jnp.moveaxis(chances, -1, 0)))[1], 0, -1)


def _log_prob(counts: Array, num: Array, log_shares: Array) -> Array:
    """Compute -sum x log(x / (n p)) and what Stirling's formula leaves of the factorials.

    The factorials themselves would lose each other's digits.
    """
    there, count, some = is_count(counts) & (counts > 0), positive(counts), positive(num)
    log_excess = jnp.log(count) - jnp.log(some)[..., None] - jnp.where(there, log_shares, 0.0)
    terms = jnp.where(there, -count * log_excess - log_factorial_remainder(count), 0.0)
    return terms.sum(-1) + jnp.where(num > 0, log_factorial_remainder(some), 0.0)
