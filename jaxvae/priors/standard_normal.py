"""Standard normal prior."""

from __future__ import annotations

import dataclasses

import jax.numpy as jnp

from jaxvae.arguments import whole_number
from jaxvae.distributions import Normal
from jaxvae.errors import InputError
from jaxvae.facts import Facts
from jaxvae.types import Array, Params


@dataclasses.dataclass(frozen=True)
class StandardNormal:
    """N(0, I) in `latent_dim` dimensions, independent of parameters and condition."""

    latent_dim: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "latent_dim", whole_number("latent_dim", self.latent_dim))

    def __call__(self, params: Params, condition: Array | None = None) -> Normal:
        """Return the prior, without a batch axis."""
        del params, condition
        zeros = jnp.zeros(self.latent_dim, jnp.float32)
        return Normal(zeros, zeros)


@dataclasses.dataclass(frozen=True)
class Standard:
    """Standard normal N(0, I)."""

    def build(self, facts: Facts) -> StandardNormal:
        """Return the prior of the model's latent dimensions.

        Raises:
            InputError: the posterior has several layers.
        """
        if isinstance(facts.latent, tuple):
            raise InputError(f"prior: standard has one layer, the posterior {len(facts.latent)}; give --prior layers")
        return StandardNormal(facts.latent_dim)
