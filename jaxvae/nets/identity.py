"""Decoder that hands z on, for likelihoods whose own network starts from z."""

from __future__ import annotations

from flax import linen as nn

from jaxvae.facts import Facts
from jaxvae.nets.mlp import MLPDecoder, join
from jaxvae.nets.network import Network
from jaxvae.types import Array


class Identity(Network):
    """Decoder that returns z, joined with the condition."""

    def __call__(self, z: Array, condition: Array | None = None) -> Array:
        """Map `[B, D]` to `[B, D]`, or to `[B, D + C]` with a condition of C values."""
        return join(z, condition)


def identity_or_linear(facts: Facts, shape: tuple[int, ...]) -> nn.Module:
    """Return a decoder that hands z on where the likelihood takes as many values, else a linear one."""
    return Identity() if shape == (facts.latent_dim,) else MLPDecoder((), shape)
