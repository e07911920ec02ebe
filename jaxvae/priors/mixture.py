"""Mixture of normals as a prior."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp

from jaxvae.arguments import whole_number
from jaxvae.distributions import Mixture, Normal
from jaxvae.errors import InputError
from jaxvae.facts import Facts
from jaxvae.types import Array, Key, Params


@dataclasses.dataclass(frozen=True)
class MixturePrior:
    """Mixture of diagonal normals with learned means, log-variances and weights.

    Reference: Dilokthanakul et al. 2016, https://arxiv.org/abs/1611.02648; baseline of Tomczak & Welling 2018,
    https://arxiv.org/abs/1705.07120, section 5.
    """

    shape: tuple[int, ...]
    """Shape of z."""
    num_components: int

    def init(self, key: Key, x: Any) -> Params:
        """Initialise random means, variances of 1 and equal weights."""
        del x
        shape = (self.num_components, *self.shape)
        mean = jax.random.normal(key, shape, jnp.float32)
        return {"mean": mean, "log_var": jnp.zeros(shape), "logits": jnp.zeros(self.num_components)}

    def __call__(self, params: Params, condition: Array | None = None) -> Mixture:
        """Return the prior, whatever the condition, without a batch axis."""
        del condition
        own = params["prior"]
        return Mixture(Normal(own["mean"], own["log_var"], len(self.shape)), own["logits"])


@dataclasses.dataclass(frozen=True)
class NormalMixture:
    """Mixture of normals with learned means, variances and weights."""

    num_components: int = 100
    """Number of normals."""

    def build(self, facts: Facts) -> MixturePrior:
        """Return the prior over values of the posterior's shape.

        Raises:
            InputError: z is not one array.
        """
        if not hasattr(facts.latent, "shape"):
            raise InputError(
                "prior: mixture needs a z of one array, and this posterior has several; give --prior layers"
            )
        return MixturePrior(facts.latent.shape, whole_number("num_components", self.num_components))
