"""Distributions of pixels that are whole levels, such as the 256 of 8 bits, as numbers k / (L - 1) in [0, 1]."""

from __future__ import annotations

from typing import ClassVar

import jax
import jax.numpy as jnp

from jaxvae.distributions.base import (
    Support,
    at_least_float32,
    broadcast_floats,
    cast_like,
    check_value,
    distribution,
    draw,
    event_rows,
    static,
)
from jaxvae.distributions.bernoulli import softplus
from jaxvae.distributions.beta_binomial import BetaBinomial, probabilities_up_to
from jaxvae.distributions.categorical import Categorical
from jaxvae.types import Array, Key

LEVELS = 256
OFF = 0.01
"""Distance from a level, in levels, from which a number counts as none: more than float32 and half precision lose."""


@distribution
class DiscretizedLogistic:
    """Independent levels x = k / (L - 1), each with the probability that a logistic variable rounds to it.

        p(x) = sigmoid((x + h - m) / s) - sigmoid((x - h - m) / s),        h = 1 / (2 (L - 1))

    The lowest level takes all that lies below it, and the highest all above. Any other number has probability 0.

    Reference: Kingma et al. 2016, https://arxiv.org/abs/1606.04934, appendix A; Salimans et al. 2017,
    https://arxiv.org/abs/1701.05517, equation 2.
    """

    support: ClassVar[Support] = "levels"
    location: Array
    """Mean m of the logistic variable, before rounding."""
    log_scale: Array
    """Logarithm of s; broadcasts against the location."""
    event_ndim: int = static(default=1)
    levels: int = static(default=LEVELS)

    @property
    def mean(self) -> Array:
        """Expected value: the sum of the chances to lie above each edge between two levels, over L - 1."""
        location, log_scale = broadcast_floats(self.location, self.log_scale)
        top = self.levels - 1
        edges = (jnp.arange(top) + 0.5) / top
        above = jax.nn.sigmoid((location[..., None] - edges) * jnp.exp(-log_scale)[..., None])
        return cast_like(above.mean(-1), self.location)

    @property
    def point(self) -> Array:
        """Location, where it is a pixel's value."""
        location, _ = broadcast_floats(self.location, self.log_scale)
        return cast_like(jnp.clip(location, 0, 1), self.location)

    def sample(self, key: Key) -> Array:
        """Sample levels; not differentiable."""
        location, log_scale = broadcast_floats(self.location, self.log_scale)
        value = location + jnp.exp(log_scale) * draw(jax.random.logistic, key, location.shape, location.dtype)
        top = self.levels - 1
        return cast_like(jnp.clip(jnp.round(value * top), 0, top) / top, self.location)

    def log_prob(self, value: Array) -> Array:
        """Return `[...]` nats."""
        value, location, log_scale = event_rows(self.event_ndim, value, self.location, self.log_scale)
        level, there = levels_of(value, self.levels)
        top = self.levels - 1
        upper = ((level + 0.5) / top - location) * jnp.exp(-log_scale)
        lower = ((level - 0.5) / top - location) * jnp.exp(-log_scale)
        inside = log_between(lower, upper)
        log_prob = jnp.where(level == 0, -softplus(-upper), jnp.where(level == top, -softplus(lower), inside))
        return jnp.where(there, log_prob, -jnp.inf).sum(-1)


@distribution
class CategoricalLevels:
    """Independent levels x = k / (L - 1), log p(x) = sum log softmax(logits)[k]; any other number has probability 0."""

    support: ClassVar[Support] = "levels"
    logits: Array
    """`[..., L]` logits."""
    event_ndim: int = static(default=1)

    @property
    def mean(self) -> Array:
        """Expected value."""
        return self._categorical().mean / self._top

    def sample(self, key: Key) -> Array:
        """Sample levels; not differentiable."""
        return cast_like(self._categorical().sample(key) / self._top, self.logits)

    def log_prob(self, value: Array) -> Array:
        """Return `[...]` nats."""
        check_value(value, self.logits.shape[:-1], self.event_ndim)
        level, there = levels_of(at_least_float32(value), self.logits.shape[-1])
        return self._categorical().log_prob(jnp.where(there, level, -1.0))

    @property
    def _top(self) -> int:
        return self.logits.shape[-1] - 1

    def _categorical(self) -> Categorical:
        return Categorical(self.logits, self.event_ndim)


@distribution
class BetaBinomialLevels:
    """Independent levels x = k / (L - 1), where k is beta-binomial of L - 1 trials; any other number has probability 0.

    A concentration below 2 puts the most mass on both ends, black and white.
    """

    support: ClassVar[Support] = "levels"
    logits: Array
    """Logits of the mean."""
    log_concentration: Array
    """Logarithm of the concentration; broadcasts against the logits."""
    event_ndim: int = static(default=1)
    levels: int = static(default=LEVELS)

    @property
    def mean(self) -> Array:
        """Expected value."""
        logits, _ = broadcast_floats(self.logits, self.log_concentration)
        return cast_like(jax.nn.sigmoid(logits), self.logits)

    def sample(self, key: Key) -> Array:
        """Sample levels; not differentiable."""
        return cast_like(self._counts().sample(key) / (self.levels - 1), self.logits)

    def log_prob(self, value: Array) -> Array:
        """Return `[...]` nats."""
        level, there = levels_of(at_least_float32(value), self.levels)
        return self._counts().log_prob(jnp.where(there, level, -1.0))

    @property
    def probabilities(self) -> Array:
        """Probabilities `[..., L]` of all levels."""
        return probabilities_up_to(self.levels - 1, self.logits, self.log_concentration)

    def _counts(self) -> BetaBinomial:
        return BetaBinomial(jnp.float32(self.levels - 1), self.logits, self.log_concentration, self.event_ndim)


def levels_of(value: Array, levels: int) -> tuple[Array, Array]:
    """Return the nearest levels k, and a mask of values that lie on one."""
    scaled = value * (levels - 1)
    level = jnp.clip(jnp.round(scaled), 0, levels - 1)
    return level, jnp.abs(scaled - level) < OFF


def log_between(lower: Array, upper: Array) -> Array:
    """Compute log(sigmoid(upper) - sigmoid(lower)), with all digits where both are near 0 or near 1.

    The difference is sigmoid(upper) sigmoid(-lower) (1 - exp(lower - upper)).
    """
    return -softplus(-upper) - softplus(lower) + _log_one_minus_exp(lower - upper)


def _log_one_minus_exp(x: Array) -> Array:
    """Compute log(1 - exp(x)) for x below 0; -inf at 0, with a gradient of 0 there."""
    below = x < 0
    x = jnp.where(below, x, -1.0)
    near = jnp.log(-jnp.expm1(jnp.maximum(x, -1.0)))
    far = jnp.log1p(-jnp.exp(jnp.minimum(x, -0.5)))
    return jnp.where(below, jnp.where(x > -0.7, near, far), -jnp.inf)
