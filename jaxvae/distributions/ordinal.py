"""Ordinal distribution of ordered categories, such as poor, fair and good."""

from __future__ import annotations

from typing import ClassVar

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxvae.distributions.base import Support, at_least_float32, cast_like, distribution, static
from jaxvae.distributions.bernoulli import softplus
from jaxvae.distributions.categorical import Categorical
from jaxvae.distributions.levels import log_between
from jaxvae.types import Array, Key


@distribution
class Ordinal:
    """Independent ordered categories 0 to C - 1, p(x <= c) = sigmoid(threshold_c - location).

    One number places an example on the scale, and C - 1 thresholds, which rise, divide it.

    Reference: McCullagh 1980, https://doi.org/10.1111/j.2517-6161.1980.tb01109.x; as a likelihood of a VAE, Nazabal et
    al. 2020, https://arxiv.org/abs/1807.03653, section 3.1.
    """

    support: ClassVar[Support] = "integers"
    location: Array
    """`[...]` places on the scale, one for each variable."""
    thresholds: Array
    """`[..., C - 1]` rising thresholds; they broadcast against the locations."""
    event_ndim: int = static(default=1)

    @property
    def probabilities(self) -> Array:
        """`[..., C]` probabilities."""
        return cast_like(self._categorical().probabilities, self.location)

    @property
    def mean(self) -> Array:
        """Expected number of the category."""
        return cast_like(self._categorical().mean, self.location)

    @property
    def mode(self) -> Array:
        """Number of the likeliest category."""
        return self._categorical().mode

    def sample(self, key: Key) -> Array:
        """Sample integers; not differentiable."""
        return self._categorical().sample(key)

    def log_prob(self, value: ArrayLike) -> Array:
        """Return `[...]` nats; -inf where there is no such category."""
        return self._categorical().log_prob(value)

    def _categorical(self) -> Categorical:
        """Return the categorical distribution with these probabilities."""
        below = at_least_float32(self.thresholds) - at_least_float32(self.location)[..., None]
        first, last = -softplus(-below[..., :1]), -softplus(below[..., -1:])
        between = log_between(below[..., :-1], below[..., 1:])
        return Categorical(jnp.concatenate([first, between, last], axis=-1), self.event_ndim)


def rising(steps: Array) -> Array:
    """Return thresholds `[..., C - 1]` from any numbers: the first one, then steps of softplus width."""
    return jnp.cumsum(jnp.concatenate([steps[..., :1], jax.nn.softplus(steps[..., 1:])], axis=-1), axis=-1)
