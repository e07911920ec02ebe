"""Priors p(z): `(params, condition) -> distribution`, frozen so that equal models compare equal."""

from __future__ import annotations

import dataclasses

import jax.numpy as jnp
from flax import linen as nn

from jaxvae.arguments import whole_number
from jaxvae.distributions import Chain, Normal
from jaxvae.distributions.chain import init_links, links
from jaxvae.types import Array, Key, Params


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
class TopDown:
    """Prior ... p(z_1|z_2) p(z_2): a standard normal at the top, and a network from each layer to the one below."""

    top: StandardNormal
    networks: tuple[nn.Module, ...]
    """Networks from the top layer downwards."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "networks", tuple(self.networks))

    def init(self, key: Key) -> Params:
        """Initialise the parameters of the networks."""
        return init_links(key, jnp.zeros((1, self.top.latent_dim)), self.networks)

    def __call__(self, params: Params, condition: Array | None = None) -> Chain:
        """Return the prior over tuples (z_1, z_2, ...), without a batch axis."""
        return Chain(self.top(params, condition), links(params["prior"], self.networks), backwards=True)
