"""Dense networks of gated layers, h = (W x + b) * sigmoid(V x + c)."""

from __future__ import annotations

import dataclasses

from flax import linen as nn

from jaxvae.facts import Facts
from jaxvae.nets.mlp import MLPDecoder, MLPEncoder
from jaxvae.nets.reading import reading


@dataclasses.dataclass(frozen=True)
class Gated:
    """Dense layers with gates in place of an activation (Tomczak & Welling 2018).

    One dense layer of twice the width holds both factors: `nn.glu` multiplies its first half by the sigmoid of the
    second.

    Reference: Tomczak & Welling 2018, https://arxiv.org/abs/1705.07120, section 5.2; Dauphin et al. 2017,
    https://arxiv.org/abs/1612.08083, equation 1.
    """

    hidden: tuple[int, ...] = (300, 300)
    """Widths of the gated hidden layers, from the data inwards; the decoder mirrors the encoder."""

    def encoder(self, facts: Facts, num_outputs: int) -> nn.Module:
        """Build the encoder."""
        return reading(facts.space, MLPEncoder(self._doubled(), num_outputs, nn.glu, facts.dtype))

    def decoder(self, facts: Facts, shape: tuple[int, ...]) -> MLPDecoder:
        """Build the decoder."""
        return MLPDecoder(self._doubled()[::-1], shape, nn.glu, facts.dtype)

    def _doubled(self) -> tuple[int, ...]:
        return tuple(2 * width for width in self.hidden)
