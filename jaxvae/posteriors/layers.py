"""Posterior of several stochastic layers, from the data upwards."""

from __future__ import annotations

import dataclasses

from flax import linen as nn

from jaxvae.distributions import Chain
from jaxvae.facts import Facts
from jaxvae.nets import MLPEncoder
from jaxvae.nets.links import init_links, links
from jaxvae.posteriors.heads import normal
from jaxvae.types import Array, Key, Params


@dataclasses.dataclass(frozen=True)
class BottomUp:
    """Posterior q(z_1|x) q(z_2|z_1) ...: the encoder gives the first factor, a network each further one."""

    networks: tuple[nn.Module, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "networks", tuple(self.networks))

    def init(self, key: Key, outputs: Array, condition: Array | None = None) -> Params:
        """Initialise the parameters of the networks."""
        return init_links(key, normal(outputs).mean, self.networks, condition)

    def __call__(self, params: Params, outputs: Array, condition: Array | None = None) -> Chain:
        """Return a distribution over tuples from `[..., 2D]`."""
        return Chain(normal(outputs), links(params["posterior"], self.networks, condition))


@dataclasses.dataclass(frozen=True)
class Layers:
    """Normals of several stochastic layers, with dense networks between them; the prior must be `layers` too."""

    upper_latent_dims: tuple[int, ...] = (10,)
    """Numbers of dimensions of the layers above z, from the lowest to the highest."""
    upper_hidden: tuple[int, ...] = (100, 100)
    """Widths of the dense hidden layers between two stochastic layers, from the lower to the higher."""

    def num_outputs(self, latent_dim: int) -> int:
        """Return the number of encoder outputs, 2D."""
        return 2 * latent_dim

    def build(self, facts: Facts) -> BottomUp:
        """Return the posterior with one network for each upper layer."""
        return BottomUp(
            tuple(MLPEncoder(self.upper_hidden, 2 * dim, facts.activation) for dim in self.upper_latent_dims)
        )
