"""Beta-binomial distribution of a number of successes, whose chance differs between examples."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp

from jaxvae import rng
from jaxvae.distributions.base import (
    Support,
    broadcast_floats,
    cast_like,
    distribution,
    draw_with,
    event_rows,
    static,
)
from jaxvae.distributions.bernoulli import softplus
from jaxvae.distributions.poisson import log_factorial_remainder, positive, stirling_remainder
from jaxvae.types import Array, Key

LEAST, MOST = -60.0, 60.0
"""Range of the logarithm of a shape, beyond which nothing changes in float32."""


@distribution
class BetaBinomial:
    """Independent numbers of successes in n trials, whose chance is beta distributed of mean m and concentration c.

        p(x) = n! / (x! (n - x)!) B(x + m c, n - x + (1 - m) c) / B(m c, (1 - m) c)        for x in 0, ..., n

    As c grows it becomes the binomial distribution. Any other number has probability 0.
    """

    support: ClassVar[Support] = "counts"
    trials: Array
    """Numbers n of trials, from 1 on; they broadcast against the logits."""
    logits: Array
    """Logits of m."""
    log_concentration: Array
    """Logarithm of c; broadcasts against the logits."""
    event_ndim: int = static(default=1)

    @property
    def mean(self) -> Array:
        """Expected number of successes, n m."""
        trials, logits, _ = self._parameters()
        return cast_like(trials * jax.nn.sigmoid(logits), self.logits)

    def sample(self, key: Key) -> Array:
        """Sample integers; not differentiable."""
        trials, logits, log_concentration = self._parameters()
        log_a, log_b = _shapes(logits, log_concentration)
        a_key, b_key, count_key = rng.sample_keys(key, 3)
        # Of two gamma variables, the logarithms are finite where small shapes make the variables themselves 0.
        of_a = draw_with(jax.random.loggamma, a_key, jnp.exp(log_a))
        of_b = draw_with(jax.random.loggamma, b_key, jnp.exp(log_b))
        return draw_with(jax.random.binomial, count_key, trials, jax.nn.sigmoid(of_a - of_b)).astype(jnp.int32)

    def log_prob(self, value: Array) -> Array:
        """Return `[...]` nats.

        Gamma functions are written by Stirling's formula, and what cancels between them is left out: a factor of x, one
        of n - x, and one of n trials.
        """
        x, trials, logits, log_c = event_rows(self.event_ndim, value, *self._parameters())
        there = (x >= 0) & (x <= trials) & (x % 1 == 0)
        x = jnp.where(there, x, 0.0)
        log_a, log_b = _shapes(logits, log_c)
        of_x, of_rest, of_all = _Factor.of(x, log_a), _Factor.of(trials - x, log_b), _Factor.of(trials, log_c)
        powers = of_x.power(-softplus(-logits), of_all) + of_rest.power(-softplus(logits), of_all)
        linear = of_x.linear + of_rest.linear - of_all.linear
        return jnp.where(there, powers + linear + of_x.rest + of_rest.rest - of_all.rest, -jnp.inf).sum(-1)

    def _parameters(self) -> list[Array]:
        trials, logits, log_concentration = broadcast_floats(self.trials, self.logits, self.log_concentration)
        return [trials, logits, jnp.clip(log_concentration, LEAST, MOST)]


def probabilities_up_to(trials: int, logits: Array, log_concentration: Array) -> Array:
    """Return the probabilities `[..., n + 1]` of 0 to n successes in n trials, by the ratios of neighbours.

        p(x + 1) / p(x) = (n - x) (x + m c) / ((x + 1) (n - x - 1 + (1 - m) c))

    It takes a fraction of the time of n + 1 calls of `log_prob`. Rounding errors grow with the logarithm of the
    quotient of the largest and the first, to 1e-4 of a probability where that is 1,000.
    """
    logits, log_c = broadcast_floats(logits, log_concentration)
    a, b = (jnp.exp(log_shape) for log_shape in _shapes(logits, jnp.clip(log_c, LEAST, MOST)))

    def next_one(log_p: Array, x: Array) -> tuple[Array, Array]:
        log_p = log_p + jnp.log((trials - x) / (x + 1)) + jnp.log(x + a) - jnp.log(trials - 1 - x + b)
        return log_p, log_p

    # On CPU a cumulative sum along the last axis takes five times as long, and so does a softmax along the first.
    first = jnp.zeros_like(a)
    _, others = jax.lax.scan(next_one, first, jnp.arange(trials, dtype=a.dtype))
    return jax.nn.softmax(jnp.moveaxis(jnp.concatenate([first[None], others]), 0, -1))


def _shapes(logits: Array, log_concentration: Array) -> tuple[Array, Array]:
    """Return the logarithms of m c and of (1 - m) c."""
    return (
        jnp.maximum(log_concentration - softplus(-logits), LEAST),
        jnp.maximum(log_concentration - softplus(logits), LEAST),
    )


class _Factor(NamedTuple):
    """Gamma(a + k) / (Gamma(a) k!) without its powers: exp(linear + rest), where only `linear` is large."""

    k: Array
    log_a: Array
    linear: Array
    """k, or 0 where a is small."""
    rest: Array

    @classmethod
    def of(cls, k: Array, log_a: Array) -> _Factor:
        """Compute the factor; 1 for k = 0."""
        a, above = jnp.exp(log_a), k > 0
        log_growth = _log_one_plus(k, log_a)
        is_large = k < 0.1 * a
        divided = is_large & above  # at k = 0 the gradient of 0 / a would be 0 / 0 where the square of a underflows
        u = jnp.where(divided, k / jnp.where(divided, a, 1.0), 0.0)
        series = -u * (1 / 2 - u * (1 / 3 - u * (1 / 4 - u * (1 / 5 - u * (1 / 6 - u / 7)))))
        power = jnp.where(is_large, k * series, a * log_growth)  # a log(1 + k / a), less k where a is large
        gammas = stirling_remainder(a + k, log_a + log_growth) - stirling_remainder(a, log_a) - 0.5 * log_growth
        rest = power + gammas - log_factorial_remainder(positive(k))
        return cls(k, log_a, jnp.where(is_large & above, k, 0.0), jnp.where(above, rest, 0.0))

    def power(self, log_m: Array, of_all: _Factor) -> Array:
        """Compute k log[ (a + k) n / (k (c + n)) ], from a = m c where a is large."""
        n, log_c = of_all.k, of_all.log_a
        large = log_m - jnp.log(positive(self.k) / n) + _log_one_plus(self.k, self.log_a) - _log_one_plus(n, log_c)
        small = softplus(self.log_a - jnp.log(positive(self.k))) - softplus(log_c - jnp.log(n))
        return self.k * jnp.where(jnp.exp(self.log_a) > self.k, large, small)


def _log_one_plus(k: Array, log_a: Array) -> Array:
    """Compute log(1 + k / a) for k above 0."""
    return softplus(jnp.log(positive(k)) - log_a)
