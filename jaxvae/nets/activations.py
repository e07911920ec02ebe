"""Activations by name."""

from __future__ import annotations

from collections.abc import Callable

from flax import linen as nn

from jaxvae.types import Array

ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "relu": nn.relu,
    "tanh": nn.tanh,
    "elu": nn.elu,
    "silu": nn.silu,
    "softplus": nn.softplus,
}
"""Activations by name."""
