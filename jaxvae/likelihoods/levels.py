"""Likelihoods of pixels of 8 bits as what they are, 256 levels: probabilities, not densities."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import ClassVar

import jax.numpy as jnp

from jaxvae.distributions import BetaBinomialLevels, CategoricalLevels, DiscretizedLogistic
from jaxvae.distributions.base import halves
from jaxvae.distributions.levels import LEVELS
from jaxvae.facts import Facts
from jaxvae.likelihoods.bernoulli import logit
from jaxvae.likelihoods.options import Likelihood
from jaxvae.types import Array


def discretized_logistic(outputs: Array | tuple[Array, Array]) -> DiscretizedLogistic:
    """Return the discretised logistic with locations and log-scales, the two halves of the last axis or two arrays."""
    location, log_scale = halves(outputs)
    return DiscretizedLogistic(location, log_scale, event_ndim=location.ndim - 1)


@dataclasses.dataclass(frozen=True)
class LogisticLevels(Likelihood):
    """Logistic distribution rounded to 256 levels, with a location and a scale from the decoder for each pixel."""

    support: ClassVar = "unit"
    of_bytes: ClassVar[bool] = True

    def decoder_shape(self, facts: Facts) -> tuple[int, ...]:
        """Return the shape of locations and log-scales, two halves of the last axis."""
        *rest, channels = facts.space.shape
        return (*rest, 2 * channels)

    def build(self, facts: Facts) -> Callable[[Array], DiscretizedLogistic]:
        """Return the head."""
        del facts
        return discretized_logistic


def beta_binomial_levels(outputs: Array | tuple[Array, Array]) -> BetaBinomialLevels:
    """Return the beta-binomial with logits and log-concentrations, the two halves of the last axis or two arrays."""
    logits, log_concentration = halves(outputs)
    return BetaBinomialLevels(logits, log_concentration, event_ndim=logits.ndim - 1)


@dataclasses.dataclass(frozen=True)
class BetaBinomialPixels(Likelihood):
    """Beta-binomial distribution of 256 levels, with a mean and a concentration from the decoder for each pixel.

    Reference: Townsend, Bird & Barber 2019, https://arxiv.org/abs/1901.04866, section 3.2.
    """

    support: ClassVar = "unit"
    of_bytes: ClassVar[bool] = True

    def link(self, mean: Array) -> Array:
        """Return logits."""
        return logit(mean)

    def decoder_shape(self, facts: Facts) -> tuple[int, ...]:
        """Return the shape of logits and log-concentrations, two halves of the last axis."""
        *rest, channels = facts.space.shape
        return (*rest, 2 * channels)

    def build(self, facts: Facts) -> Callable[[Array], BetaBinomialLevels]:
        """Return the head."""
        del facts
        return beta_binomial_levels


@dataclasses.dataclass(frozen=True)
class SoftmaxLevels(Likelihood):
    """Categorical distribution of 256 levels, with a probability from the decoder for each level of each pixel."""

    support: ClassVar = "unit"
    of_bytes: ClassVar[bool] = True

    def link(self, mean: Array) -> None:
        """Return None: a mean says little of 256 probabilities."""
        del mean

    def decoder_shape(self, facts: Facts) -> tuple[int, ...]:
        """Return the shape of logits, 256 for each value along the last axis."""
        *rest, channels = facts.space.shape
        return (*rest, LEVELS * channels)

    def build(self, facts: Facts) -> Callable[[Array], CategoricalLevels]:
        """Return the head."""
        del facts
        return categorical_levels


def categorical_levels(outputs: Array) -> CategoricalLevels:
    """Return the categorical distribution of levels with logits `[B, ..., C * 256]`."""
    logits = jnp.reshape(outputs, (*outputs.shape[:-1], -1, LEVELS))
    return CategoricalLevels(logits, event_ndim=outputs.ndim - 1)
