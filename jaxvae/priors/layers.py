"""Prior of several stochastic layers, from the highest downwards."""

from __future__ import annotations

import dataclasses

import jax.numpy as jnp
from flax import linen as nn

from jaxvae.distributions import Chain, Normal
from jaxvae.errors import InputError
from jaxvae.facts import Facts
from jaxvae.nets import MLPEncoder
from jaxvae.nets.links import init_links, links
from jaxvae.posteriors import BottomUp
from jaxvae.priors.standard_normal import StandardNormal
from jaxvae.types import Array, Key, Params


@dataclasses.dataclass(frozen=True)
class TopDown:
    """Prior ... p(z_1|z_2) p(z_2): a standard normal at the top, and a network from each layer to the one below."""

    top: StandardNormal
    networks: tuple[nn.Module, ...]
    """Networks from the top layer downwards."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "networks", tuple(self.networks))

    def init(self, key: Key, x: Array | None = None, condition: Array | None = None) -> Params:
        """Initialise the parameters of the networks."""
        del x
        rows = 1 if condition is None else len(condition)
        return init_links(key, jnp.zeros((rows, self.top.latent_dim)), self.networks, condition)

    def __call__(self, params: Params, condition: Array | None = None) -> Chain:
        """Return the prior over tuples (z_1, z_2, ...), with a batch axis where there is a condition."""
        top = self.top(params, condition)
        if condition is not None:
            zeros = jnp.zeros((len(condition), self.top.latent_dim), jnp.float32)
            top = Normal(zeros, zeros)
        return Chain(top, links(params["prior"], self.networks, condition), backwards=True)


@dataclasses.dataclass(frozen=True)
class Layers:
    """Normals of several stochastic layers, of the posterior's sizes; the posterior must be `layers` too."""

    def build(self, facts: Facts) -> TopDown:
        """Return the prior whose networks mirror those of the posterior.

        Raises:
            InputError: the posterior has one layer.
        """
        upwards = facts.posterior.networks if isinstance(facts.posterior, BottomUp) else ()
        if not upwards:
            raise InputError("prior: layers needs a posterior of several layers; give --posterior layers too")
        dims = (facts.latent_dim, *(network.num_outputs // 2 for network in upwards))
        hidden = upwards[0].hidden[::-1]
        downwards = tuple(MLPEncoder(hidden, 2 * below, facts.activation) for below in dims[-2::-1])
        return TopDown(StandardNormal(dims[-1]), downwards)
