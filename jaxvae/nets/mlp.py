"""Multi-layer perceptrons from and to arrays of any shape."""

from __future__ import annotations

import math
from collections.abc import Callable

import jax.numpy as jnp
from flax import linen as nn
from jax.typing import DTypeLike

from jaxvae.types import Array


class MLPEncoder(nn.Module):
    """Flatten, hidden layers, `num_outputs` numbers for a posterior head."""

    hidden: tuple[int, ...]
    num_outputs: int
    activation: Callable[[Array], Array] = nn.relu
    dtype: DTypeLike | None = None
    """What the hidden layers compute in; parameters and outputs are float32 in any case."""

    @nn.compact
    def __call__(self, x: Array, condition: Array | None = None) -> Array:
        """`[B, ...]` -> `[B, num_outputs]`."""
        h = hidden_layers(join(x, condition), self.hidden, self.activation, self.dtype)
        return nn.Dense(self.num_outputs, name="output")(h)


class MLPDecoder(nn.Module):
    """Hidden layers, then an array of any shape for a likelihood head."""

    hidden: tuple[int, ...]
    shape: tuple[int, ...]
    activation: Callable[[Array], Array] = nn.relu
    dtype: DTypeLike | None = None
    """What the hidden layers compute in; parameters and outputs are float32 in any case."""

    @nn.compact
    def __call__(self, z: Array, condition: Array | None = None) -> Array:
        """`[B, D]` -> `[B, *shape]`."""
        h = hidden_layers(join(z, condition), self.hidden, self.activation, self.dtype)
        return nn.Dense(math.prod(self.shape), name="output")(h).reshape(-1, *self.shape)


def join(x: Array, condition: Array | None) -> Array:
    """Flatten x, and the condition behind it, to `[B, ...]` rows."""
    parts = [x] if condition is None else [x, condition]
    return jnp.concatenate([part.reshape(len(part), -1) for part in parts], axis=-1)


def hidden_layers(
    h: Array, widths: tuple[int, ...], activation: Callable[[Array], Array], dtype: DTypeLike | None = None
) -> Array:
    """Dense layers of the module in whose `__call__` this stands."""
    for width in widths:
        h = activation(nn.Dense(width, dtype=dtype)(h))
    return h
