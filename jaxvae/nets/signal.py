"""Convolutional networks along time, for signals of any length and number of channels."""

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
from jaxvae.nets import conv_layers
from jaxvae.nets.activations import ACTIVATIONS
from jaxvae.nets.conv import sizes_after_halving
from jaxvae.nets.conv_layers import ConvTranspose, fastest_layout, images, with_layout
from jaxvae.nets.mlp import hidden_layers, join
from jaxvae.nets.network import Network
from jaxvae.nets.reading import reading
from jaxvae.types import Array, Space

SHORTEST, FEWEST_CHANNELS, MOST_CHANNELS = 16, 16, 64
"""Number of positions down to which signals are halved, and the limits of the channels that are chosen."""
STRIDES = (2, 1)


class SignalEncoder(Network):
    """Strided convolutions, each halving the number of time steps (rounding up), then dense layers."""

    channels: tuple[int, ...]
    hidden: tuple[int, ...]
    num_outputs: int
    kernel_size: int = 4
    activation: Callable[[Array], Array] = nn.relu
    dtype: DTypeLike | None = None
    """Floating-point type of the hidden layers; parameters and outputs are always float32."""

    @nn.compact
    def __call__(self, x: Array, condition: Array | None = None) -> Array:
        """Map `[B, T]` or `[B, T, ...]`, where all axes behind time are channels, to `[B, num_outputs]`."""
        x = at_least_float32(x)
        x = x.reshape(*x.shape[:2], 1, math.prod(x.shape[2:]))
        layout = fastest_layout(x)
        x, kernel = with_layout(x, layout), (self.kernel_size, 1)
        for features in self.channels:
            x = self.activation(conv_layers.Conv(features, kernel, STRIDES, dtype=self.dtype, layout=layout)(x))
        x = images(x, layout)
        h = hidden_layers(join(x, condition), self.hidden, self.activation, self.dtype)
        return nn.Dense(self.num_outputs, name="output")(h)


class SignalDecoder(Network):
    """Mirror image of the encoder: dense layers, then transposed convolutions, and a bias for each value.

    Widths and channels are in the order of the layers, the reverse of the encoder's. Outputs of `[n T]` numbers, such
    as means and log-variances of `[T]`, are n channels one after another.
    """

    channels: tuple[int, ...]
    """Input channels of each transposed convolution."""
    hidden: tuple[int, ...]
    length: int
    """Number T of time steps."""
    shape: tuple[int, ...]
    """Shape `(T, ...)` or `(n T,)` of the output."""
    kernel_size: int = 4
    activation: Callable[[Array], Array] = nn.relu
    dtype: DTypeLike | None = None
    """Floating-point type of the hidden layers; parameters and outputs are always float32."""

    @nn.compact
    def __call__(self, z: Array, condition: Array | None = None) -> Array:
        """Map `[B, D]` to `[B, *shape]`."""
        lengths = [length for length, _ in sizes_after_halving((self.length, 1), len(self.channels))]
        widths = (*self.hidden, lengths[-1] * self.channels[0])
        h = hidden_layers(join(z, condition), widths, self.activation, self.dtype)
        x, kernel = h.reshape(len(z), lengths[-1], 1, self.channels[0]), (self.kernel_size, 1)
        layout = fastest_layout(x)
        x = with_layout(x, layout)
        for features, length in zip(self.channels[1:], lengths[-2:0:-1]):
            layer = ConvTranspose(features, kernel, STRIDES, dtype=self.dtype, layout=layout)
            x = self.activation(layer(x)[:, :length])
        x = ConvTranspose(math.prod(self.shape) // self.length, kernel, STRIDES, layout=layout)(x)
        x = images(x, layout)[:, : self.length, 0]
        x = x.swapaxes(1, 2) if len(self.shape) == 1 else x
        return ValueBias(self.shape, name="output")(x.reshape(len(z), *self.shape))


class ValueBias(Network):
    """One learned bias for each value, so that a decoder begins at the mean curve."""

    shape: tuple[int, ...]

    @nn.compact
    def __call__(self, x: Array) -> Array:
        """Map `[B, *shape]` to the same shape."""
        return x + self.param("bias", nn.initializers.zeros, (math.prod(self.shape),), jnp.float32).reshape(self.shape)


@dataclasses.dataclass(frozen=True)
class Signal:
    """Strided convolutions along time, then dense layers, for signals; further axes are channels."""

    hidden: tuple[int, ...] = (128,)
    """Widths of the dense hidden layers, from the data inwards; the decoder mirrors the encoder."""
    channels: tuple[int, ...] | None = None
    """Channels of the convolutions, from the signal inwards; chosen by the signal's length if not given."""
    kernel_size: int = 4
    """Number of time steps that a convolution sees."""
    activation: str = "relu"
    """Activation between the layers."""

    def __post_init__(self) -> None:
        if self.kernel_size < 1:
            raise InputError(f"kernel-size: must be at least 1, got {self.kernel_size}")

    def encoder(self, facts: Facts, num_outputs: int) -> nn.Module:
        """Build the encoder.

        Raises:
            InputError: examples are no arrays of numbers, or there are no channels.
        """
        activation = look_up(ACTIVATIONS, "activation", self.activation)
        channels = signal_channels(facts.space, self.channels)
        sizes = (channels, self.hidden, num_outputs, self.kernel_size)
        return reading(facts.space, SignalEncoder(*sizes, activation, facts.dtype))

    def decoder(self, facts: Facts, shape: tuple[int, ...]) -> SignalDecoder:
        """Build the decoder; it raises the same errors."""
        activation = look_up(ACTIVATIONS, "activation", self.activation)
        channels, length = signal_channels(facts.space, self.channels)[::-1], facts.space.shape[0]
        sizes = (channels, self.hidden[::-1], length, shape, self.kernel_size)
        return SignalDecoder(*sizes, activation, facts.dtype)

    def settled(self, space: Space, *, own: bool) -> Signal:
        """Return the same options with the channels that belong to the signal's length."""
        del own
        return dataclasses.replace(self, channels=signal_channels(space, self.channels))


def signal_channels(space: Space, channels: tuple[int, ...] | None) -> tuple[int, ...]:
    """Return the channels of convolutions, chosen by the number of time steps if not given.

    >>> from jaxvae.data.spaces import Real
    >>> signal_channels(Real((24,)), None), signal_channels(Real((256, 2)), None)
    ((16,), (16, 32, 64, 64))

    Raises:
        InputError: examples are no arrays of numbers, or there are no channels.
    """
    if space.kind in ("table", "tokens"):
        raise InputError(f"preset: convolutions along time need signals [T] or [T, C], got {space.kind}; use auto")
    if channels is None:
        channels = (FEWEST_CHANNELS,)
        while math.ceil(space.shape[0] / 2 ** len(channels)) > SHORTEST:
            channels = (*channels, min(2 * channels[-1], MOST_CHANNELS))
    if not channels:
        raise InputError("channels: a convolutional network needs at least one convolution; give --channels 32 64")
    return channels
