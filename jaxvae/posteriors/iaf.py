"""Posterior of inverse autoregressive flows."""

from __future__ import annotations

import dataclasses

import jax.numpy as jnp

from jaxvae import rng
from jaxvae.arguments import whole_number
from jaxvae.distributions import InverseAutoregressiveFlow
from jaxvae.facts import Facts
from jaxvae.nets import MADE, Bound
from jaxvae.posteriors.heads import normal
from jaxvae.types import Array, Key, Params


@dataclasses.dataclass(frozen=True)
class InverseAutoregressive:
    """Normal pushed through maps whose networks get a context from the encoder; it begins as the normal itself.

    Reference: Kingma et al. 2016, https://arxiv.org/abs/1606.04934, algorithm 1.
    """

    networks: tuple[MADE, ...]
    """One network for each map."""
    num_context: int
    """Number of encoder outputs that are the context."""

    def init(self, key: Key, outputs: Array) -> Params:
        """Initialise the parameters of the networks."""
        base, context = self._split(outputs)
        x = normal(base).mean
        return [
            network.init(rng.stream(key, f"init map {number}"), x, context)["params"]
            for number, network in enumerate(self.networks)
        ]

    def __call__(self, params: Params, outputs: Array) -> InverseAutoregressiveFlow:
        """Return the flow from `[..., 2D + num_context]`: means, log-variances, context."""
        base, context = self._split(outputs)
        networks = tuple(Bound(own, network) for own, network in zip(params["posterior"], self.networks))
        return InverseAutoregressiveFlow(normal(base), context, networks)

    def _split(self, outputs: Array) -> list[Array]:
        return jnp.split(outputs, [outputs.shape[-1] - self.num_context], axis=-1)


@dataclasses.dataclass(frozen=True)
class IAF:
    """Normal pushed through inverse autoregressive flows (Kingma et al. 2016)."""

    num_flows: int = 2
    """Number of maps."""
    hidden: tuple[int, ...] = (320,)
    """Widths of the hidden layers of each map's network."""
    context: int = 32
    """Number of encoder outputs that each map's network gets besides z."""

    def num_outputs(self, latent_dim: int) -> int:
        """Return the number of encoder outputs, 2D and the context."""
        return 2 * latent_dim + self.context

    def build(self, facts: Facts) -> InverseAutoregressive:
        """Return the posterior."""
        del facts
        network = MADE(tuple(whole_number("hidden", width) for width in self.hidden))
        num_flows, context = whole_number("num_flows", self.num_flows), whole_number("context", self.context)
        return InverseAutoregressive((network,) * num_flows, context)
