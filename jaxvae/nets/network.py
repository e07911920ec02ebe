"""Base class of linen modules that compare, hash and pickle by their arguments."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from jax.typing import DTypeLike

from jaxvae.errors import InputError


class Network(nn.Module):
    """Base of all networks: lists become tuples, dtypes become `numpy.dtype`, and modules can be pickled."""

    def __post_init__(self) -> None:
        """Replace arguments that would not hash, or not compare equal."""
        for name, value in _arguments(self).items():
            object.__setattr__(self, name, floating(value) if name == "dtype" else as_tuples(value))
        super().__post_init__()

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle arguments; activations by name, because pickle and deepcopy fail at jitted functions."""
        arguments = {name: _named(value) for name, value in _arguments(self).items()}
        return _rebuild, (type(self), arguments)


def as_tuples(value: Any) -> Any:
    """Convert lists and arrays to tuples, at any depth."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    return tuple(map(as_tuples, value)) if isinstance(value, list | tuple) else value


def floating(dtype: DTypeLike | None) -> np.dtype | None:
    """Return the same object whether a name or a type is given.

    Raises:
        InputError: `dtype` is no floating-point type.
    """
    if dtype is None:
        return None
    try:
        resolved = jnp.dtype(dtype)
    except TypeError as error:
        raise InputError(f"dtype: {dtype!r} is no type of numbers; give float32 or bfloat16") from error
    if not jnp.issubdtype(resolved, jnp.floating):
        raise InputError(f"dtype: networks cannot compute in {resolved}; give float32 or bfloat16")
    return resolved


def _arguments(network: Network) -> dict[str, Any]:
    # The parent belongs to the call that creates the module.
    names = [field.name for field in dataclasses.fields(network) if field.init and field.name != "parent"]
    return {name: getattr(network, name) for name in names}


class _Name(NamedTuple):
    """Import path of a function."""

    module: str
    name: str


def _named(value: Any) -> Any:
    """Replace a function by its import path, if possible a public one: JAX's private modules change."""
    name = getattr(value, "__qualname__", None)
    if not callable(value) or name is None:
        return value
    for module in ("jax.nn", "jax.numpy", getattr(value, "__module__", None)):
        if module is not None and getattr(importlib.import_module(module), name, None) is value:
            return _Name(module, name)
    return value


def _rebuild(cls: type[Network], arguments: Mapping[str, Any]) -> Network:
    def found(value: Any) -> Any:
        return getattr(importlib.import_module(value.module), value.name) if isinstance(value, _Name) else value

    return cls(**{name: found(value) for name, value in arguments.items()})
