"""Base of all distributions: frozen pytrees whose last `event_ndim` axes are one event.

Leading axes are examples. `sample(key)` takes one key, or one key per leading index, so that noise can be keyed by
example. `log_prob` sums over the event's axes and computes in at least float32.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias, TypeVar, dataclass_transform

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxvae import rng
from jaxvae.types import Array, Key

T = TypeVar("T", bound=type)
Support: TypeAlias = Literal[
    "real", "positive", "unit", "simplex", "binary", "integers", "levels", "counts", "codes", "one-hot", "any"
]
"""Support of a distribution; a point mass may lie anywhere."""


def static(*, default: int | bool) -> Any:
    """Mark a static field, which is structure and not data, such as `event_ndim`, the number of axes of one event."""
    return dataclasses.field(default=default, metadata={"static": True})


@dataclass_transform(frozen_default=True, eq_default=False, field_specifiers=(static,))
def distribution(cls: T) -> T:
    """Turn a class into a frozen dataclass and a pytree."""
    frozen: Any = dataclasses.dataclass(frozen=True, eq=False)(cls)
    return jax.tree_util.register_dataclass(frozen)


def as_floats(*arrays: ArrayLike) -> list[Array]:
    """Convert arrays to one floating type: float32, or float64 where one has it.

    Half precision is enough for a layer, not for a sum of log-densities; and integers overflow.
    """
    with jax.numpy_dtype_promotion("standard"):  # the cast is intended, also in strict mode
        dtype = jnp.result_type(jnp.float32, *arrays)
    return [jnp.asarray(array, dtype) for array in arrays]


def broadcast_floats(*arrays: ArrayLike) -> list[Array]:
    """Convert arrays to one floating type and one shape."""
    return jnp.broadcast_arrays(*as_floats(*arrays))


def at_least_float32(array: ArrayLike) -> Array:
    """Convert one array as `as_floats` does."""
    return as_floats(array)[0]


def cast_like(result: Array, parameter: Array) -> Array:
    """Cast a result that was computed in float32 to the parameter's dtype where that is a floating one."""
    dtype = jnp.result_type(parameter)
    return result.astype(dtype) if jnp.issubdtype(dtype, jnp.floating) else result


def event_rows(event_ndim: int, value: Array, *parameters: Array) -> list[Array]:
    """Broadcast a value and parameters against each other, as floats, and flatten the event to one axis, `[..., E]`.

    On CPU a loop over a last axis of one channel makes a whole training step a third slower.
    """
    check_value(value, jnp.broadcast_shapes(*map(jnp.shape, parameters)), event_ndim)
    return [flatten_event(array, event_ndim) for array in broadcast_floats(value, *parameters)]


def check_value(value: ArrayLike, shape: Sequence[int], event_ndim: int) -> None:
    """Refuse a value that is no event of a distribution of this shape.

    Leading axes broadcast. The event's do not, unless all its parameters are one number: `[B]` and `[B, 1]` would
    become `[B, B]`, and its sum a finite number without meaning.
    """
    whole, event = jnp.shape(value), _last(shape, event_ndim)
    if (shape and _last(whole, event_ndim) != event) or _broadcast(whole, shape) is None:
        raise ValueError(
            f"value {whole} is no event of a distribution of shape {tuple(shape)}: it must end with {event}"
        )


def check_prior(q_shape: Sequence[int], p_shape: Sequence[int], event_ndim: int) -> None:
    """Refuse a prior with dimensions that the posterior lacks: broadcasting would count the posterior's several times.

    The reverse, a prior `[D]` or `[1]` or one number for a posterior `[B, D]`, is the same prior for all.
    """
    joint = _broadcast(q_shape, p_shape)
    if joint is None or _last(joint, event_ndim) != _last(q_shape, event_ndim):
        raise ValueError(f"prior {tuple(p_shape)} does not fit posterior {tuple(q_shape)}: it must have its dimensions")


def _last(shape: Sequence[int], num: int) -> tuple[int, ...]:
    return tuple(shape)[max(len(shape) - num, 0) :]


def _broadcast(*shapes: Sequence[int]) -> tuple[int, ...] | None:
    try:
        return jnp.broadcast_shapes(*map(tuple, shapes))
    except ValueError:
        return None


def halves(outputs: Array | tuple[Array, Array]) -> tuple[Array, Array]:
    """Return means and log-variances: the halves of a network's outputs `[..., 2D]`, or its two outputs unchanged."""
    if isinstance(outputs, tuple | list) and len(outputs) == 2:
        mean, log_var = outputs
        return mean, log_var
    if not hasattr(outputs, "shape"):
        raise ValueError(
            f"outputs: an array [..., 2D] or a tuple (mean, log_var) is wanted, got a {type(outputs).__name__}; "
            "give the model a function that makes a distribution of it"
        )
    if jnp.ndim(outputs) == 0 or outputs.shape[-1] % 2:
        raise ValueError(f"outputs: {jnp.shape(outputs)} cannot be halved into means and log-variances; give [..., 2D]")
    mean, log_var = jnp.split(outputs, 2, axis=-1)
    return mean, log_var


def flatten_event(array: Array, event_ndim: int) -> Array:
    """Flatten the last `event_ndim` axes to one."""
    return array.reshape(*array.shape[: array.ndim - event_ndim], -1)


def draw(sampler: Callable[..., Array], key: Key, shape: Sequence[int], dtype: Any = jnp.float32) -> Array:
    """Call `sampler(key, shape, dtype)` with one key for the whole shape, or with one key per leading index.

    Raises:
        ValueError: the keys' shape is not a prefix of `shape`.
    """
    check_keys(key, shape)
    if key.ndim == 0:
        return sampler(key, tuple(shape), dtype)
    return jax.vmap(lambda one: draw(sampler, one, tuple(shape)[1:], dtype))(key)


def draw_with(sampler: Callable[..., Array], key: Key, *parameters: Array) -> Array:
    """Call `sampler(key, *parameters)` as `draw` does, for noise whose kind depends on the parameters.

    Args:
        sampler: function from one key and arrays to an array.
        key: one key for all, or one key per leading index of the parameters.
        parameters: arrays `[...]` of one shape.

    Raises:
        ValueError: the keys' shape is not a prefix of the parameters' shape.
    """
    check_keys(key, jnp.shape(parameters[0]))
    if key.ndim == 0:
        return sampler(key, *parameters)
    return jax.vmap(lambda one, *rows: draw_with(sampler, one, *rows))(key, *parameters)


def check_keys(key: Key, shape: Sequence[int]) -> None:
    """Refuse keys that are neither one for the whole shape nor one for each leading index."""
    rng.check_key(key)
    if key.shape != tuple(shape)[: key.ndim]:
        raise ValueError(
            f"key: {key.shape} keys do not fit a sample of shape {tuple(shape)}; give one key, or one per example"
        )
