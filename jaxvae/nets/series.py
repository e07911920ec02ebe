"""Convolutional networks along time whose code is a series in time, too."""

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
from jaxvae.nets.conv import sizes_after_halving
from jaxvae.nets.conv_layers import ConvTranspose
from jaxvae.nets.network import Network
from jaxvae.nets.reading import reading
from jaxvae.nets.signal import STRIDES, ValueBias, signal_channels
from jaxvae.nets.spatial import with_condition
from jaxvae.types import Array, Space


class SeriesEncoder(Network):
    """Strided convolutions, each halving the number of time steps (rounding up), and numbers at each step left."""

    channels: tuple[int, ...]
    num_outputs: int
    """Number of outputs, a multiple of the number of steps."""
    num_steps: int
    """Number T' of time steps of the code."""
    kernel_size: int = 4
    activation: Callable[[Array], Array] = nn.relu
    dtype: DTypeLike | None = None
    """Floating-point type of the hidden layers; parameters and outputs are always float32."""

    @nn.compact
    def __call__(self, x: Array, condition: Array | None = None) -> Array:
        """Map `[B, T]` or `[B, T, ...]` to `[B, num_outputs]`, one series of T' steps behind another."""
        x = at_least_float32(x)
        x = with_condition(x.reshape(*x.shape[:2], 1, math.prod(x.shape[2:])), condition)
        for features in self.channels:
            x = self.activation(conv_layers.Conv(features, (self.kernel_size, 1), STRIDES, dtype=self.dtype)(x))
        x = conv_layers.Conv(self.num_outputs // self.num_steps, (1, 1), (1, 1), name="output")(x)
        return x[:, :, 0].swapaxes(1, 2).reshape(len(x), self.num_outputs)


class SeriesDecoder(Network):
    """Mirror image of the encoder: transposed convolutions of the latent series, and a bias for each value."""

    channels: tuple[int, ...]
    """Input channels of each transposed convolution."""
    num_steps: int
    """Number T' of time steps of the code."""
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
        """Map `[B, S T']`, one series behind another, to `[B, *shape]`."""
        lengths = [length for length, _ in sizes_after_halving((self.length, 1), len(self.channels))]
        kernel = (self.kernel_size, 1)
        x = at_least_float32(z).reshape(len(z), -1, self.num_steps).swapaxes(1, 2)[:, :, None]
        x = conv_layers.Conv(self.channels[0], kernel, (1, 1), dtype=self.dtype)(with_condition(x, condition))
        x = self.activation(x)
        for features, length in zip(self.channels[1:], lengths[-2:0:-1]):
            x = self.activation(ConvTranspose(features, kernel, STRIDES, dtype=self.dtype)(x)[:, :length])
        x = ConvTranspose(math.prod(self.shape) // self.length, kernel, STRIDES)(x)[:, : self.length, 0]
        x = x.swapaxes(1, 2) if len(self.shape) == 1 else x
        return ValueBias(self.shape, name="output")(x.reshape(len(z), *self.shape))


@dataclasses.dataclass(frozen=True)
class Series:
    """Strided convolutions along time without dense layers, for codes that are series in time."""

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
            InputError: examples are no arrays of numbers, there are no channels, or the latent dimensions are no whole
                number of series.
        """
        activation, channels = look_up(ACTIVATIONS, "activation", self.activation), self._channels(facts)
        sizes = (channels, num_outputs, self._steps(facts), self.kernel_size)
        return reading(facts.space, SeriesEncoder(*sizes, activation, facts.dtype))

    def decoder(self, facts: Facts, shape: tuple[int, ...]) -> SeriesDecoder:
        """Build the decoder; it raises the same errors."""
        activation, channels = look_up(ACTIVATIONS, "activation", self.activation), self._channels(facts)[::-1]
        sizes = (channels, self._steps(facts), facts.space.shape[0], shape, self.kernel_size)
        return SeriesDecoder(*sizes, activation, facts.dtype)

    def settled(self, space: Space, *, own: bool) -> Series:
        """Return the same options with the channels that belong to the signal's length."""
        del own
        return dataclasses.replace(self, channels=signal_channels(space, self.channels))

    def _channels(self, facts: Facts) -> tuple[int, ...]:
        return signal_channels(facts.space, self.channels)

    def _steps(self, facts: Facts) -> int:
        steps = sizes_after_halving((facts.space.shape[0], 1), len(self._channels(facts)))[-1][0]
        if facts.latent_dim % steps:
            remedy = f"give {steps * max(1, round(facts.latent_dim / steps))}"
            raise InputError(f"latent-dim: must be a multiple of the {steps} steps of a latent series; {remedy}")
        return steps
