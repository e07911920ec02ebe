"""Posterior of planar flows, all of whose parameters are outputs of the encoder."""

from __future__ import annotations

import dataclasses
import math

import jax.numpy as jnp

from jaxvae.arguments import whole_number
from jaxvae.distributions import PlanarFlow
from jaxvae.facts import Facts
from jaxvae.posteriors.heads import normal
from jaxvae.types import Array


@dataclasses.dataclass(frozen=True)
class PlanarHead:
    """Head that makes a normal pushed through M planar maps of `[..., 2D + M (2D + 1)]` outputs.

    Means and log-variances come first, then the M directions u, times 10 sqrt(D), the M weights w, times sqrt(D), and
    the M offsets b.
    """

    num_flows: int
    """M, number of maps."""

    def __call__(self, outputs: Array) -> PlanarFlow:
        """Return the flow.

        Raises:
            ValueError: the number of outputs is that of no D.
        """
        num = self.num_flows
        dim, rest = divmod(outputs.shape[-1] - num, 2 + 2 * num)
        if rest or dim < 1:
            raise ValueError(
                f"outputs: {outputs.shape[-1]} encoder outputs are not 2D + {num} (2D + 1) for any D and {num} maps"
            )
        base, directions, weights, offsets = jnp.split(
            outputs, [2 * dim, (2 + num) * dim, (2 + 2 * num) * dim], axis=-1
        )
        shape = (*outputs.shape[:-1], num, dim)
        scale = 1 / math.sqrt(dim)  # w.z begins at the order of 1 for any D, where tanh bends
        # Small directions: a flow begins near the normal. Otherwise it trains to a worse bound than the normal alone.
        directions, weights = 0.1 * scale * directions.reshape(shape), scale * weights.reshape(shape)
        return PlanarFlow(normal(base), directions, weights, offsets)


@dataclasses.dataclass(frozen=True)
class Planar:
    """Normal pushed through planar flows (Rezende & Mohamed 2015); its density is known at its own samples alone."""

    num_flows: int = 16
    """Number of maps."""

    def num_outputs(self, latent_dim: int) -> int:
        """Return the number of encoder outputs, 2D and 2D + 1 for each map."""
        return 2 * latent_dim + self.num_flows * (2 * latent_dim + 1)

    def build(self, facts: Facts) -> PlanarHead:
        """Return the head."""
        del facts
        return PlanarHead(whole_number("num_flows", self.num_flows))
