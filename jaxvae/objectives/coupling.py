"""Examples of all devices together, for objectives whose terms depend on the whole batch.

Such an objective asks for `axis_name` and gathers inside the loss: its value is still a mean over this device's
examples, so that sums over devices after the gradient are exact.
"""

from __future__ import annotations

from typing import Any, TypeVar

import jax
import jax.numpy as jnp

from jaxvae.distributions.base import at_least_float32
from jaxvae.objectives.checks import batch_shape
from jaxvae.types import Array

T = TypeVar("T")


def gather(tree: T, axis_name: str | None) -> T:
    """Return `[M, ...]` arrays of all devices from this device's `[B, ...]`; the same arrays without an axis."""
    if axis_name is None:
        return tree
    return jax.tree.map(lambda leaf: jax.lax.all_gather(leaf, axis_name, tiled=True), tree)


def own_places(num: int, axis_name: str | None) -> Array:
    """Return `[B]` places of this device's examples among those of all devices."""
    first = 0 if axis_name is None else num * jax.lax.axis_index(axis_name)
    return first + jnp.arange(num)


def counts_of(x: Any, weights: Array | None) -> Array:
    """Return `[B]` numbers of times that each example counts: its weight, or 1."""
    return jnp.ones(batch_shape(x), jnp.float32) if weights is None else at_least_float32(weights)
