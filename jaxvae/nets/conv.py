"""Convolutional networks for images of any height, width and number of channels, odd sizes too."""

from __future__ import annotations

from collections.abc import Callable

from flax import linen as nn
from jax.typing import DTypeLike

from jaxvae.distributions.base import at_least_float32
from jaxvae.nets.conv_layers import Conv, ConvTranspose
from jaxvae.nets.mlp import hidden_layers, join
from jaxvae.nets.network import Network
from jaxvae.types import Array


class ConvEncoder(Network):
    """Strided convolutions, each halving the image (rounding up), then dense layers."""

    channels: tuple[int, ...]
    hidden: tuple[int, ...]
    num_outputs: int
    activation: Callable[[Array], Array] = nn.relu
    dtype: DTypeLike | None = None
    """Floating-point type of the hidden layers; parameters and outputs are always float32."""

    @nn.compact
    def __call__(self, x: Array, condition: Array | None = None) -> Array:
        """Map `[B, H, W, C]` to `[B, num_outputs]`."""
        x = at_least_float32(x)
        for features in self.channels:
            x = self.activation(Conv(features, dtype=self.dtype)(x))
        h = hidden_layers(join(x, condition), self.hidden, self.activation, self.dtype)
        return nn.Dense(self.num_outputs, name="output")(h)


class ConvDecoder(Network):
    """Mirror image of the encoder: dense layers, then transposed convolutions, each doubling the image.

    Widths and channels are in the order of the layers, the reverse of the encoder's. Where the encoder halved an odd
    size, the doubled image is one row or column too large and is cropped.
    """

    channels: tuple[int, ...]
    """Input channels of each transposed convolution."""
    hidden: tuple[int, ...]
    shape: tuple[int, ...]
    """Shape `(H, W, C)` of the output."""
    activation: Callable[[Array], Array] = nn.relu
    dtype: DTypeLike | None = None
    """Floating-point type of the hidden layers; parameters and outputs are always float32."""

    @nn.compact
    def __call__(self, z: Array, condition: Array | None = None) -> Array:
        """Map `[B, D]` to `[B, H, W, C]`."""
        *sizes, smallest = _sizes(self.shape[:2], len(self.channels))
        widths = (*self.hidden, smallest[0] * smallest[1] * self.channels[0])
        h = hidden_layers(join(z, condition), widths, self.activation, self.dtype)
        x = h.reshape(z.shape[0], *smallest, self.channels[0])
        for features, (height, width) in zip(self.channels[1:], sizes[:0:-1]):
            x = self.activation(ConvTranspose(features, dtype=self.dtype)(x)[:, :height, :width])
        x = ConvTranspose(self.shape[-1], name="output")(x)
        return x[:, : self.shape[0], : self.shape[1]]


def _sizes(size: tuple[int, ...], halvings: int) -> list[tuple[int, ...]]:
    """Return the image's size before the first and after each halving."""
    sizes = [size]
    for _ in range(halvings):
        sizes.append(tuple((side + 1) // 2 for side in sizes[-1]))
    return sizes
