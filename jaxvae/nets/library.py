"""Decoder whose code holds the size of a library, which goes past the network to the likelihood."""

from __future__ import annotations

import jax.numpy as jnp
from flax import linen as nn

from jaxvae.distributions.base import at_least_float32
from jaxvae.nets.network import Network
from jaxvae.types import Array


class PastDecoder(Network):
    """Decoder of all dimensions of z but the last, which is appended to its outputs."""

    decoder: nn.Module

    @nn.compact
    def __call__(self, z: Array, condition: Array | None = None) -> Array:
        """Map `[B, D + 1]` to `[B, P + 1]`."""
        code, last = z[..., :-1], at_least_float32(z[..., -1:])
        outputs = self.decoder(code) if condition is None else self.decoder(code, condition)
        return jnp.concatenate([at_least_float32(outputs), last], axis=-1)
