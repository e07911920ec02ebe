"""Multi-layer perceptrons of gated layers, h = (W x + b) * sigmoid(V x + c)."""

from __future__ import annotations

import dataclasses
import math

from flax import linen as nn
from jax.typing import DTypeLike

from jaxvae.facts import Facts
from jaxvae.nets.mlp import hidden_layers, join
from jaxvae.nets.network import Network
from jaxvae.nets.reading import reading
from jaxvae.types import Array


class GatedEncoder(Network):
    """Gated layers on the flattened input, then `num_outputs` numbers for a posterior head.

    Reference: Tomczak & Welling 2018, https://arxiv.org/abs/1705.07120, section 5.2; Dauphin et al. 2017,
    https://arxiv.org/abs/1612.08083, equation 1.
    """

    hidden: tuple[int, ...]
    num_outputs: int
    dtype: DTypeLike | None = None
    """Floating-point type of the hidden layers; parameters and outputs are always float32."""

    @nn.compact
    def __call__(self, x: Array, condition: Array | None = None) -> Array:
        """Map `[B, ...]` to `[B, num_outputs]`."""
        h = _gated_layers(join(x, condition), self.hidden, self.dtype)
        return nn.Dense(self.num_outputs, name="output")(h)


class GatedDecoder(Network):
    """Gated layers, then an array of any shape for a likelihood head.

    Reference: see `GatedEncoder`.
    """

    hidden: tuple[int, ...]
    shape: tuple[int, ...]
    dtype: DTypeLike | None = None
    """Floating-point type of the hidden layers; parameters and outputs are always float32."""

    @nn.compact
    def __call__(self, z: Array, condition: Array | None = None) -> Array:
        """Map `[B, D]` to `[B, *shape]`."""
        h = _gated_layers(join(z, condition), self.hidden, self.dtype)
        return nn.Dense(math.prod(self.shape), name="output")(h).reshape(z.shape[0], *self.shape)


@dataclasses.dataclass(frozen=True)
class Gated:
    """Dense layers with gates in place of an activation (Tomczak & Welling 2018)."""

    hidden: tuple[int, ...] = (300, 300)
    """Widths of the gated hidden layers, from the data inwards; the decoder mirrors the encoder."""

    def encoder(self, facts: Facts, num_outputs: int) -> nn.Module:
        """Build the encoder."""
        return reading(facts.space, GatedEncoder(self.hidden, num_outputs, facts.dtype))

    def decoder(self, facts: Facts, shape: tuple[int, ...]) -> GatedDecoder:
        """Build the decoder."""
        return GatedDecoder(self.hidden[::-1], shape, facts.dtype)


def _gated_layers(h: Array, widths: tuple[int, ...], dtype: DTypeLike | None) -> Array:
    # One layer of twice the width holds both factors: `nn.glu` multiplies its first half by the sigmoid of the second.
    return hidden_layers(h, tuple(2 * width for width in widths), nn.glu, dtype)
