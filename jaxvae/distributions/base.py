"""What all distributions here share: frozen pytrees whose last `event_ndim` axes are one event.

Leading axes are examples. `sample(key)` takes one key, or one key per leading index, so that an example's noise can be
its own. `log_prob` sums over the event's axes and computes in at least float32.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, dataclass_transform

import jax
import jax.numpy as jnp

from jaxvae.types import Array, Key

T = TypeVar("T", bound=type)


def static(*, default: int | bool) -> Any:
    """Mark a field that is structure and not data, such as `event_ndim`: how many trailing axes make one event."""
    return dataclasses.field(default=default, metadata={"static": True})


@dataclass_transform(frozen_default=True, eq_default=False, field_specifiers=(static,))
def distribution(cls: T) -> T:
    """Make a class a frozen dataclass and a pytree."""
    frozen: Any = dataclasses.dataclass(frozen=True, eq=False)(cls)
    return jax.tree_util.register_dataclass(frozen)


def at_least_float32(array: Array | float) -> Array:
    """Half precision is enough for a layer, not for a sum of log-densities."""
    return jnp.asarray(array, jnp.result_type(array, jnp.float32))


def event_rows(event_ndim: int, *arrays: Array) -> list[Array]:
    """Broadcast arrays against each other and make the event one axis, `[..., E]`.

    XLA on CPU takes a third longer for a whole training step where it must loop over a last axis of one channel.
    """
    return [flatten_event(array, event_ndim) for array in jnp.broadcast_arrays(*arrays)]


def flatten_event(array: Array, event_ndim: int) -> Array:
    """Make the last `event_ndim` axes one."""
    return array.reshape(*array.shape[: array.ndim - event_ndim], -1)


def draw(sampler: Callable[..., Array], key: Key, shape: Sequence[int], dtype: Any = jnp.float32) -> Array:
    """Call `sampler(key, shape, dtype)` with one key for the whole shape, or with one key per leading index.

    Raises:
        ValueError: the keys' shape is not a prefix of `shape`.
    """
    shape = tuple(shape)
    if key.ndim == 0:
        return sampler(key, shape, dtype)
    if key.shape != shape[: key.ndim]:
        raise ValueError(
            f"key: {key.shape} keys do not fit a sample of shape {shape}; give one key, or one per example"
        )
    return jax.vmap(lambda one: draw(sampler, one, shape[1:], dtype))(key)
