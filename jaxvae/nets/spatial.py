"""Convolutional networks whose code keeps its place in the image: no dense layer, `[B, h, w, C]` in the middle."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import jax.numpy as jnp
from flax import linen as nn
from jax.typing import DTypeLike

from jaxvae.arguments import look_up
from jaxvae.distributions.base import at_least_float32
from jaxvae.errors import InputError
from jaxvae.facts import Facts
from jaxvae.nets.activations import ACTIVATIONS
from jaxvae.nets.conv import image_channels, sizes_after_halving
from jaxvae.nets.conv_layers import Conv, ConvTranspose, Layout, fastest_layout, images, with_layout
from jaxvae.nets.network import Network
from jaxvae.types import Array


class SpatialEncoder(Network):
    """Strided convolutions, each halving the image (rounding up), residual blocks, and a convolution of size 1."""

    channels: tuple[int, ...]
    num_blocks: int
    num_outputs: int
    """Numbers at each position."""
    activation: Callable[[Array], Array] = nn.relu
    dtype: DTypeLike | None = None
    """Floating-point type of the hidden layers; parameters and outputs are always float32."""

    @nn.compact
    def __call__(self, x: Array, condition: Array | None = None) -> Array:
        """Map `[B, H, W, C]` to `[B, h, w, num_outputs]`."""
        x = with_condition(at_least_float32(x), condition)
        layout = fastest_layout(x)
        x = with_layout(x, layout)
        for features in self.channels:
            x = self.activation(Conv(features, dtype=self.dtype, layout=layout)(x))
        for _ in range(self.num_blocks):
            x = residual_block(x, self.channels[-1], self.activation, self.dtype, layout)
        return images(Conv(self.num_outputs, (1, 1), (1, 1), name="output", layout=layout)(x), layout)


class SpatialDecoder(Network):
    """Mirror image of the encoder: a convolution, residual blocks, and transposed convolutions, cropped as needed."""

    channels: tuple[int, ...]
    """Input channels of each transposed convolution."""
    num_blocks: int
    shape: tuple[int, ...]
    """Shape `(H, W, C)` of the output."""
    activation: Callable[[Array], Array] = nn.relu
    dtype: DTypeLike | None = None
    """Floating-point type of the hidden layers; parameters and outputs are always float32."""

    @nn.compact
    def __call__(self, z: Array, condition: Array | None = None) -> Array:
        """Map `[B, h, w, D]` to `[B, H, W, C]`."""
        sizes = sizes_after_halving(self.shape[:2], len(self.channels))
        if z.shape[1:-1] != sizes[-1]:
            raise InputError(
                f"z: shape {z.shape} for {sizes[-1]} positions; give the encoder the networks of the decoder"
            )
        x = with_condition(at_least_float32(z), condition)
        layout = fastest_layout(x)
        x = with_layout(x, layout)
        x = self.activation(Conv(self.channels[0], (3, 3), (1, 1), dtype=self.dtype, layout=layout)(x))
        for _ in range(self.num_blocks):
            x = residual_block(x, self.channels[0], self.activation, self.dtype, layout)
        for features, (height, width) in zip(self.channels[1:], sizes[-2:0:-1]):
            x = self.activation(ConvTranspose(features, dtype=self.dtype, layout=layout)(x)[:, :height, :width])
        x = ConvTranspose(self.shape[-1], name="output", layout=layout)(x)
        return images(x[:, : self.shape[0], : self.shape[1]], layout)


def residual_block(
    x: Array, channels: int, activation: Callable[[Array], Array], dtype: DTypeLike | None, layout: Layout
) -> Array:
    """Apply a residual block, as submodules of the module whose `__call__` calls this.

    Reference: van den Oord et al. 2017, https://arxiv.org/abs/1711.00937, section 4.1.
    """
    h = Conv(channels, (3, 3), (1, 1), dtype=dtype, layout=layout)(activation(x))
    return x + Conv(channels, (1, 1), (1, 1), dtype=dtype, layout=layout)(activation(h))


def with_condition(x: Array, condition: Array | None) -> Array:
    """Append the condition to the channels `[B, h, w, C]` of every position.

    Raises:
        InputError: the condition holds integer labels.
    """
    if condition is None:
        return x
    if jnp.issubdtype(condition.dtype, jnp.integer):
        raise InputError(f"condition: {condition.dtype} labels; give jax.nn.one_hot(labels, num_classes)")
    rows = at_least_float32(condition).reshape(len(x), 1, 1, math.prod(condition.shape[1:]))
    return jnp.concatenate([x, jnp.broadcast_to(rows, (*x.shape[:-1], rows.shape[-1]))], axis=-1)


@dataclasses.dataclass(frozen=True)
class Spatial:
    """Strided convolutions without dense layers, for codes that keep their place in the image."""

    channels: tuple[int, ...] | None = None
    """Channels of the convolutions, from the image inwards; chosen by the image's size if not given."""
    num_blocks: int = 2
    """Number of residual blocks in the middle of encoder and decoder."""
    activation: str = "relu"
    """Activation between the layers."""

    def encoder(self, facts: Facts, num_outputs: int) -> SpatialEncoder:
        """Build the encoder.

        Raises:
            InputError: examples are no images, or there are no channels.
        """
        activation = look_up(ACTIVATIONS, "activation", self.activation)
        channels = image_channels(facts.space.shape, self.channels)
        return SpatialEncoder(channels, self.num_blocks, num_outputs, activation, facts.dtype)

    def decoder(self, facts: Facts, shape: tuple[int, ...]) -> SpatialDecoder:
        """Build the decoder; it raises the same errors."""
        activation = look_up(ACTIVATIONS, "activation", self.activation)
        channels = image_channels(facts.space.shape, self.channels)
        return SpatialDecoder(channels[::-1], self.num_blocks, shape, activation, facts.dtype)
