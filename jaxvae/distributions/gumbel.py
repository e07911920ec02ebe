"""One-hot categories, and their continuous relaxation, whose samples have a gradient (Gumbel-softmax).

Training samples the relaxed values. An estimate of a bound needs the categories themselves, which `hard` gives: it is a
property of the relaxed distribution, so that no model has a flag for training and evaluation.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from jaxvae.distributions.base import (
    Support,
    at_least_float32,
    broadcast_floats,
    check_prior,
    check_value,
    distribution,
    draw,
)
from jaxvae.distributions.kl import register_kl
from jaxvae.types import Array, Distribution, Key


@distribution
class OneHotCategorical:
    """L independent categorical variables of K categories, whose values are one-hot rows `[..., L, K]`."""

    support: ClassVar[Support] = "one-hot"
    event_ndim: ClassVar[int] = 2
    logits: Array
    """`[..., L, K]`."""

    @property
    def mean(self) -> Array:
        """Probabilities `[..., L, K]`."""
        return jax.nn.softmax(at_least_float32(self.logits))

    @property
    def point(self) -> Array:
        """Most probable category of each variable, one-hot `[..., L, K]`."""
        return _one_hot(self.logits)

    def sample(self, key: Key) -> Array:
        """Sample one-hot rows by the Gumbel-max trick; not differentiable."""
        return _one_hot(_perturbed(self.logits, key))

    def log_prob(self, value: Array) -> Array:
        """Return `[...]` nats; -inf for rows that are not one-hot."""
        check_value(value, self.logits.shape, 2)
        value, logits = broadcast_floats(value, self.logits)
        is_one_hot = ((value == 0) | (value == 1)).all(-1) & (value.sum(-1) == 1)
        chosen = jnp.where(value == 1, jax.nn.log_softmax(logits), 0.0).sum(-1)
        return jnp.where(is_one_hot, chosen, -jnp.inf).sum(-1)


@distribution
class RelaxedCategorical:
    r"""Relaxation of a `OneHotCategorical`: y = softmax((logits + g) / temperature), g ~ Gumbel(0, 1).

    At temperature 0 samples are one-hot; at any other their gradient in the logits exists. Its KL to a
    `OneHotCategorical` is that of the categories, which with relaxed samples makes no bound on log p(x).

    Reference: Jang et al. 2017, https://arxiv.org/abs/1611.01144, section 2; Maddison et al. 2017,
    https://arxiv.org/abs/1611.00712, equation 10 for the density.
    """

    support: ClassVar[Support] = "simplex"
    event_ndim: ClassVar[int] = 2
    relaxed: ClassVar[bool] = True
    logits: Array
    """`[..., L, K]`."""
    temperature: Array
    """`[..., 1, 1]`, above 0."""

    @property
    def hard(self) -> OneHotCategorical:
        """Distribution of the categories themselves."""
        return OneHotCategorical(self.logits)

    @property
    def point(self) -> Array:
        """Most probable category of each variable, one-hot `[..., L, K]`."""
        return self.hard.point

    def sample(self, key: Key) -> Array:
        """Sample rows `[..., L, K]` that sum to 1."""
        return jax.nn.softmax(_perturbed(self.logits, key) / self.temperature)

    def log_prob(self, value: Array) -> Array:
        """Return `[...]` nats of the density of the relaxed rows, in their first K - 1 numbers."""
        check_value(value, self.logits.shape, 2)
        value, logits = broadcast_floats(value, self.logits)
        num_categories, temperature = logits.shape[-1], self.temperature[..., 0]
        log_value = jnp.log(jnp.maximum(value, jnp.finfo(value.dtype).tiny))
        powers = logits - self.temperature * log_value
        return (
            math.lgamma(num_categories)
            + (num_categories - 1) * jnp.log(temperature)
            + (powers - log_value).sum(-1)
            - num_categories * jax.nn.logsumexp(powers, axis=-1)
        ).sum(-1)


def hard(distribution: Any) -> Distribution:
    """Return the distribution of discrete values of which this is a relaxation; any other as it is."""
    return distribution.hard if getattr(distribution, "relaxed", False) else distribution


@register_kl(RelaxedCategorical, OneHotCategorical)
@register_kl(OneHotCategorical, OneHotCategorical)
def _between_categories(q: RelaxedCategorical | OneHotCategorical, p: OneHotCategorical) -> Array:
    check_prior(q.logits.shape, p.logits.shape, 2)
    log_q, log_p = map(jax.nn.log_softmax, broadcast_floats(q.logits, p.logits))
    return (jnp.exp(log_q) * jnp.where(log_q == -jnp.inf, 0.0, log_q - log_p)).sum(-1)


def _perturbed(logits: Array, key: Key) -> Array:
    logits = at_least_float32(logits)
    return logits + draw(jax.random.gumbel, key, logits.shape, logits.dtype)


def _one_hot(scores: Array) -> Array:
    return jax.nn.one_hot(scores.argmax(-1), scores.shape[-1])
