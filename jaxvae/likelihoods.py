"""Likelihood heads: the decoder's output array becomes a distribution p(x|z) over all axes but the first.

A head with several numbers per pixel takes them from equal parts of the last axis.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Literal, NamedTuple

import jax.numpy as jnp

from jaxvae.arguments import known
from jaxvae.distributions import Bernoulli, ContinuousBernoulli, GreyCrossEntropy, Normal
from jaxvae.distributions.base import at_least_float32, halves
from jaxvae.types import Array, Distribution, InputError


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
class FixedNormal:
    """Normal with means of real pixels and one fixed standard deviation: MSE with all constants kept."""

    scale: float = 1.0

    def __post_init__(self) -> None:
        number = known("scale", self.scale)
        if number is None or number.ndim:
            raise TypeError("scale: must be one number, known before tracing; for others use normal")
        if not 0 < number < math.inf:
            raise InputError(f"scale: must be above 0 and finite, got {float(number)}")
        object.__setattr__(self, "scale", float(number))  # JAX's numbers are not hashable

    def __call__(self, outputs: Array) -> Normal:
        """Return p(x|z), -log p(x|z) = |x - mean|^2 / (2 scale^2) + D log(scale sqrt(2 pi))."""
        log_var = jnp.full_like(at_least_float32(outputs), 2 * math.log(self.scale))
        return Normal(outputs, log_var, event_ndim=outputs.ndim - 1)


def normal(outputs: Array | tuple[Array, Array]) -> Normal:
    """Return the normal with means and log-variances of real pixels, the two halves of the last axis or two arrays.

    The log-variances come from the decoder, per pixel, or are one learned number that `nets.SharedLogVar` appends.
    """
    mean, log_var = halves(outputs)
    return Normal(mean, log_var, event_ndim=mean.ndim - 1)


class Likelihood(NamedTuple):
    """Head, its requirements of the decoder, and the pixels that it can score."""

    head: Callable[[Array], Distribution]
    support: Literal["binary", "unit", "real"]
    """Pixels in {0, 1}, in [0, 1], or any real number."""
    link: Callable[[Array], Array]
    """Function from a mean pixel value to the decoder output, for the initial output bias."""
    log_var: Literal["none", "shared", "pixel"] = "none"
    """Source of the log-variance: none, one learned number, or the decoder for each pixel."""


def _logit(mean: Array) -> Array:
    # A pixel that is always 0 in training may be 1 in the test set: keep its logit finite, as Burda et al. do.
    mean = jnp.clip(at_least_float32(mean), 0.001, 0.999)
    return jnp.log(mean) - jnp.log1p(-mean)


def _continuous_logit(mean: Array) -> Array:
    # The mean of a continuous Bernoulli is not sigmoid(logit) and has no inverse in closed form: interpolate a curve,
    # whose ends, near 0.001 and 0.999, keep the logit finite.
    logits = jnp.sinh(jnp.linspace(-7.6, 7.6, 2001))
    return jnp.interp(at_least_float32(mean), ContinuousBernoulli(logits).mean, logits)


def _identity(mean: Array) -> Array:
    return mean


LIKELIHOODS = {
    "bernoulli": Likelihood(bernoulli, "binary", _logit),
    "continuous_bernoulli": Likelihood(continuous_bernoulli, "unit", _continuous_logit),
    "grey_cross_entropy": Likelihood(grey_cross_entropy, "unit", _logit),
    "mse": Likelihood(FixedNormal(1.0), "real", _identity),
    "normal_shared": Likelihood(normal, "real", _identity, log_var="shared"),
    "normal_pixel": Likelihood(normal, "real", _identity, log_var="pixel"),
}
