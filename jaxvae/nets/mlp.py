"""Multi-layer perceptrons from and to arrays of any shape."""

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
from jaxvae.nets.network import Network
from jaxvae.nets.reading import reading
from jaxvae.types import Array


class MLPEncoder(Network):
    """Hidden layers on the flattened input, then `num_outputs` numbers for a posterior head."""

    hidden: tuple[int, ...]
    num_outputs: int
    activation: Callable[[Array], Array] = nn.relu
    dtype: DTypeLike | None = None
    """Floating-point type of the hidden layers; parameters and outputs are always float32."""

    @nn.compact
    def __call__(self, x: Array, condition: Array | None = None) -> Array:
        """Map `[B, ...]` to `[B, num_outputs]`."""
        h = hidden_layers(join(x, condition), self.hidden, self.activation, self.dtype)
        return nn.Dense(self.num_outputs, name="output")(h)


class MLPDecoder(Network):
    """Hidden layers, then an array of any shape for a likelihood head."""

    hidden: tuple[int, ...]
    shape: tuple[int, ...]
    activation: Callable[[Array], Array] = nn.relu
    dtype: DTypeLike | None = None
    """Floating-point type of the hidden layers; parameters and outputs are always float32."""

    @nn.compact
    def __call__(self, z: Array, condition: Array | None = None) -> Array:
        """Map `[B, D]` to `[B, *shape]`."""
        h = hidden_layers(join(z, condition), self.hidden, self.activation, self.dtype)
        return nn.Dense(math.prod(self.shape), name="output")(h).reshape(z.shape[0], *self.shape)


@dataclasses.dataclass(frozen=True)
class MLP:
    """Dense layers from and to arrays of any shape."""

    hidden: tuple[int, ...] = (400,)
    """Widths of the dense hidden layers, from the data inwards; the decoder mirrors the encoder."""
    activation: str = "relu"
    """Activation between the layers."""

    def encoder(self, facts: Facts, num_outputs: int) -> nn.Module:
        """Build the encoder."""
        activation = look_up(ACTIVATIONS, "activation", self.activation)
        return reading(facts.space, MLPEncoder(self.hidden, num_outputs, activation, facts.dtype))

    def decoder(self, facts: Facts, shape: tuple[int, ...]) -> MLPDecoder:
        """Build the decoder."""
        activation = look_up(ACTIVATIONS, "activation", self.activation)
        return MLPDecoder(self.hidden[::-1], shape, activation, facts.dtype)


def join(x: Array, condition: Array | None) -> Array:
    """Flatten x and the condition, and concatenate them to `[B, ...]` rows.

    Raises:
        InputError: the condition holds integer labels, or not one row for each example.
    """
    if condition is None:
        return _rows(at_least_float32(x))
    if condition.shape[:1] != x.shape[:1]:
        raise InputError(f"condition: shape {condition.shape} for {x.shape[0]} examples; give one row for each")
    if jnp.issubdtype(condition.dtype, jnp.integer) and math.prod(condition.shape[1:]) == 1:
        raise InputError(
            f"condition: {condition.dtype} labels of shape {condition.shape}, whose size means nothing to a network; "
            "give jax.nn.one_hot(labels, num_classes)"
        )
    return jnp.concatenate([_rows(at_least_float32(x)), _rows(at_least_float32(condition))], axis=-1)


def _rows(x: Array) -> Array:
    return x.reshape(x.shape[0], math.prod(x.shape[1:]))


def hidden_layers(
    h: Array, widths: tuple[int, ...], activation: Callable[[Array], Array], dtype: DTypeLike | None = None
) -> Array:
    """Apply dense layers, as submodules of the module whose `__call__` calls this."""
    for width in widths:
        h = activation(nn.Dense(width, dtype=dtype)(h))
    return h
