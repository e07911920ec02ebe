"""Convolutional networks for images of any height, width and number of channels, odd sizes too."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

from flax import linen as nn
from jax.typing import DTypeLike

from jaxvae.arguments import look_up
from jaxvae.distributions.base import at_least_float32
from jaxvae.errors import InputError
from jaxvae.facts import Facts
from jaxvae.nets import conv_layers
from jaxvae.nets.activations import ACTIVATIONS
from jaxvae.nets.conv_layers import ConvTranspose, fastest_layout, images, with_layout
from jaxvae.nets.mlp import hidden_layers, join
from jaxvae.nets.network import Network
from jaxvae.types import Array, Space


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
        layout = fastest_layout(x)
        x = with_layout(x, layout)
        for features in self.channels:
            x = self.activation(conv_layers.Conv(features, dtype=self.dtype, layout=layout)(x))
        x = images(x, layout)
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
        *sizes, smallest = sizes_after_halving(self.shape[:2], len(self.channels))
        widths = (*self.hidden, smallest[0] * smallest[1] * self.channels[0])
        h = hidden_layers(join(z, condition), widths, self.activation, self.dtype)
        x = h.reshape(z.shape[0], *smallest, self.channels[0])
        layout = fastest_layout(x)
        x = with_layout(x, layout)
        for features, (height, width) in zip(self.channels[1:], sizes[:0:-1]):
            x = self.activation(ConvTranspose(features, dtype=self.dtype, layout=layout)(x)[:, :height, :width])
        x = ConvTranspose(self.shape[-1], name="output", layout=layout)(x)
        return images(x[:, : self.shape[0], : self.shape[1]], layout)


@dataclasses.dataclass(frozen=True)
class Conv:
    """Strided convolutions, then dense layers, for images."""

    hidden: tuple[int, ...] = (256,)
    """Widths of the dense hidden layers, from the image inwards; the decoder mirrors the encoder."""
    channels: tuple[int, ...] | None = None
    """Channels of the convolutions, from the image inwards; chosen by the image's size if not given."""
    activation: str = "relu"
    """Activation between the layers."""

    def encoder(self, facts: Facts, num_outputs: int) -> ConvEncoder:
        """Build the encoder.

        Raises:
            InputError: examples are no images, or there are no channels.
        """
        activation = look_up(ACTIVATIONS, "activation", self.activation)
        channels = image_channels(facts.space.shape, self.channels)
        return ConvEncoder(channels, self.hidden, num_outputs, activation, facts.dtype)

    def decoder(self, facts: Facts, shape: tuple[int, ...]) -> ConvDecoder:
        """Build the decoder; it raises the same errors."""
        activation = look_up(ACTIVATIONS, "activation", self.activation)
        channels = image_channels(facts.space.shape, self.channels)
        return ConvDecoder(channels[::-1], self.hidden[::-1], shape, activation, facts.dtype)

    def settled(self, space: Space, *, own: bool) -> Conv:
        """Return the same options with the channels that belong to the image's size."""
        del own
        return dataclasses.replace(self, channels=image_channels(space.shape, self.channels))


def image_channels(shape: tuple[int, ...], channels: tuple[int, ...] | None) -> tuple[int, ...]:
    """Return the channels of convolutions for examples of a shape, chosen by it if not given.

    Raises:
        InputError: examples are no images, or there are no channels.
    """
    if len(shape) != 3:
        raise InputError(f"preset: a convolutional network needs images [H, W, C], got {shape}; use vae")
    channels = channels_for(shape) if channels is None else channels
    if not channels:
        raise InputError("channels: a convolutional network needs at least one convolution; give --channels 32 64")
    return channels


def channels_for(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return channels of at least two convolutions, which halve an image until at most 7x7 values are left.

    >>> channels_for((28, 28, 1)), channels_for((64, 64, 3)), channels_for((256, 256, 3))
    ((32, 64), (32, 64, 128, 256), (32, 64, 128, 256, 256, 256))
    """
    height, width, *_ = (*shape, 1, 1)
    channels = [32]
    while len(channels) < 2 or math.ceil(height / 2 ** len(channels)) * math.ceil(width / 2 ** len(channels)) > 49:
        channels.append(min(2 * channels[-1], 256))
    return tuple(channels)


def sizes_after_halving(size: tuple[int, ...], halvings: int) -> list[tuple[int, ...]]:
    """Return the image's size before the first and after each halving."""
    sizes = [size]
    for _ in range(halvings):
        sizes.append(tuple((side + 1) // 2 for side in sizes[-1]))
    return sizes
