"""Likelihoods of pixels in {0, 1} and in [0, 1]: the decoder's output array is logits."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import ClassVar

import jax.numpy as jnp

from jaxvae.distributions import Bernoulli, ContinuousBernoulli, GreyCrossEntropy
from jaxvae.distributions.base import at_least_float32
from jaxvae.facts import Facts
from jaxvae.likelihoods.options import Likelihood
from jaxvae.types import Array


def bernoulli(outputs: Array) -> Bernoulli:
    """Return the Bernoulli with these logits, for pixels in {0, 1}."""
    return Bernoulli(outputs, event_ndim=outputs.ndim - 1)


def continuous_bernoulli(outputs: Array) -> ContinuousBernoulli:
    """Return the continuous Bernoulli with these logits, for pixels in [0, 1]."""
    return ContinuousBernoulli(outputs, event_ndim=outputs.ndim - 1)


def grey_cross_entropy(outputs: Array) -> GreyCrossEntropy:
    """Return the cross-entropy with these logits, for pixels in [0, 1]; it is no likelihood."""
    return GreyCrossEntropy(outputs, event_ndim=outputs.ndim - 1)


@dataclasses.dataclass(frozen=True)
class BernoulliPixels(Likelihood):
    """Bernoulli of pixels in {0, 1}."""

    support: ClassVar = "binary"

    def link(self, mean: Array) -> Array:
        """Return logits."""
        return logit(mean)

    def build(self, facts: Facts) -> Callable[[Array], Bernoulli]:
        """Return the head."""
        del facts
        return bernoulli


@dataclasses.dataclass(frozen=True)
class ContinuousBernoulliPixels(Likelihood):
    """Continuous Bernoulli of pixels in [0, 1], a density."""

    support: ClassVar = "unit"

    def link(self, mean: Array) -> Array:
        """Return logits, interpolated: the mean is not sigmoid(logit) and has no inverse in closed form."""
        # The ends of the curve, near 0.001 and 0.999, keep the logit finite.
        logits = jnp.sinh(jnp.linspace(-7.6, 7.6, 2001))
        return jnp.interp(at_least_float32(mean), ContinuousBernoulli(logits).mean, logits)

    def build(self, facts: Facts) -> Callable[[Array], ContinuousBernoulli]:
        """Return the head."""
        del facts
        return continuous_bernoulli


@dataclasses.dataclass(frozen=True)
class GreyCrossEntropyPixels(Likelihood):
    """Cross-entropy of pixels in [0, 1], which is no likelihood."""

    support: ClassVar = "unit"

    def link(self, mean: Array) -> Array:
        """Return logits."""
        return logit(mean)

    def build(self, facts: Facts) -> Callable[[Array], GreyCrossEntropy]:
        """Return the head."""
        del facts
        return grey_cross_entropy


def logit(mean: Array) -> Array:
    """Return logits of probabilities, kept finite."""
    # A pixel that is always 0 in training may be 1 in the test set: keep its logit finite, as Burda et al. do.
    mean = jnp.clip(at_least_float32(mean), 0.001, 0.999)
    return jnp.log(mean) - jnp.log1p(-mean)
