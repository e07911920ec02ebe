"""Priors p(z): `(params, condition) -> distribution`, frozen so that equal models compare equal."""

from __future__ import annotations

import dataclasses

import jax.numpy as jnp

from jaxvae.distributions import Normal
from jaxvae.types import Array, InputError, Params


@dataclasses.dataclass(frozen=True)
class StandardNormal:
    """N(0, I) in `latent_dim` dimensions, whatever the parameters and the condition."""

    latent_dim: int

    def __post_init__(self) -> None:
        if self.latent_dim < 1:
            raise InputError(f"latent_dim: must be at least 1, got {self.latent_dim}")

    def __call__(self, params: Params, condition: Array | None = None) -> Normal:
        """The prior, without a batch axis."""
        del params, condition
        return Normal(jnp.zeros(self.latent_dim), jnp.zeros(self.latent_dim))
