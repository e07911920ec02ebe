"""Likelihoods of real values: normals and t distributions whose means are the decoder's outputs."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import ClassVar

import jax.numpy as jnp
from flax import linen as nn

from jaxvae.arguments import known
from jaxvae.distributions import Normal, StudentT
from jaxvae.distributions.base import at_least_float32, halves
from jaxvae.distributions.bernoulli import softplus
from jaxvae.errors import InputError
from jaxvae.facts import Facts
from jaxvae.likelihoods.options import Likelihood
from jaxvae.nets import SharedLogVar
from jaxvae.types import Array


def normal(outputs: Array | tuple[Array, Array]) -> Normal:
    """Return the normal with means and log-variances of real pixels, the two halves of the last axis or two arrays.

    The log-variances come from the decoder, per pixel, or are one learned number that `nets.SharedLogVar` appends.
    """
    mean, log_var = halves(outputs)
    return Normal(mean, log_var, event_ndim=mean.ndim - 1)


@dataclasses.dataclass(frozen=True)
class FixedNormal(Likelihood):
    """Normal with means of real pixels and one fixed standard deviation: MSE with all constants kept."""

    activation: ClassVar[str] = "identity"
    """Function from the decoder's outputs to the mean, by name."""
    scale: float = 1.0
    """Standard deviation of every value."""

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

    def build(self, facts: Facts) -> FixedNormal:
        """Return the head, which is this object."""
        del facts
        return self


@dataclasses.dataclass(frozen=True)
class SharedNormal(Likelihood):
    """Normal with one learned variance for all values."""

    def wrap(self, decoder: nn.Module) -> nn.Module:
        """Return the decoder with the shared log-variance appended to its means."""
        return SharedLogVar(decoder)

    def build(self, facts: Facts) -> Callable[[Array], Normal]:
        """Return the head."""
        del facts
        return normal


@dataclasses.dataclass(frozen=True)
class PixelNormal(Likelihood):
    """Normal with a variance from the decoder for each value."""

    least_scale: float = 0.0
    """Standard deviation whose square is added to every variance, so that none vanishes; 0 adds nothing."""

    def __post_init__(self) -> None:
        if not 0 <= self.least_scale < math.inf:
            raise InputError(f"likelihood.least-scale: must be 0 or more and finite, got {self.least_scale}")

    def decoder_shape(self, facts: Facts) -> tuple[int, ...]:
        """Return the shape of means and log-variances, two halves of the last axis."""
        *rest, channels = facts.space.shape
        return (*rest, 2 * channels)

    def build(self, facts: Facts) -> Callable[[Array], Normal]:
        """Return the head."""
        del facts
        return BoundedNormal(self.least_scale) if self.least_scale else normal


@dataclasses.dataclass(frozen=True)
class BoundedNormal:
    """Normal whose variances are exp(log_var) + least_scale^2."""

    least_scale: float

    def __call__(self, outputs: Array | tuple[Array, Array]) -> Normal:
        """Return the normal with means and log-variances, the two halves of the last axis or two arrays."""
        mean, log_var = halves(outputs)
        log_var = jnp.logaddexp(at_least_float32(log_var), 2 * math.log(self.least_scale))
        return Normal(mean, log_var, event_ndim=mean.ndim - 1)


LEAST_DEGREES = 2.0
"""Degrees of freedom above which a t variable has a variance."""


def student_t(outputs: Array) -> StudentT:
    """Return the t distribution with means, log-scales and degrees of freedom, the three thirds of the last axis.

    The degrees of freedom are 2 + softplus(output), so that there is a variance.
    """
    mean, log_scale, degrees = jnp.split(outputs, 3, axis=-1)
    log_degrees = jnp.log(LEAST_DEGREES + softplus(at_least_float32(degrees)))
    return StudentT(mean, log_scale, log_degrees, event_ndim=mean.ndim - 1)


@dataclasses.dataclass(frozen=True)
class StudentTValues(Likelihood):
    """Student's t, with a scale and degrees of freedom from the decoder for each value: outliers count for less."""

    def decoder_shape(self, facts: Facts) -> tuple[int, ...]:
        """Return the shape of means, log-scales and degrees of freedom, three thirds of the last axis."""
        *rest, channels = facts.space.shape
        return (*rest, 3 * channels)

    def build(self, facts: Facts) -> Callable[[Array], StudentT]:
        """Return the head."""
        del facts
        return student_t
