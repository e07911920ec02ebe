"""Linen modules as pure functions of their parameters, and refusal of modules that are not."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterator
from typing import Any

import jax
from flax import errors
from flax import linen as nn

from jaxvae.errors import InputError
from jaxvae.types import Array, Key, Params

STATE = (
    "keeps variables besides its parameters, as BatchNorm does; a network here is a function of parameters and input "
    "alone: use nn.LayerNorm or nn.GroupNorm"
)
NOISE = (
    "draws random numbers, as Dropout does; a network here is a function of parameters and input alone: set "
    "deterministic=True, and use weight decay or objectives.denoising against overfitting"
)
REMEDIES = {'"use_running_average"': STATE, '"deterministic"': NOISE}
"""Remedies by the missing argument of a Flax layer."""


def check_module(name: str, network: Any) -> None:
    """Refuse an object that is no linen module.

    Raises:
        InputError: it is a module of Flax NNX, Equinox or Haiku, a plain function, or any other object.
    """
    if not isinstance(network, nn.Module):
        came = f"{type(network).__module__.split('.')[0]}'s {type(network).__name__}"
        raise InputError(
            f"{name}: must be a module of flax.linen, got {came}; for networks of any other kind give "
            "jaxvae.Functions(encode, decode, prior) in place of VAE"
        )


def init(name: str, network: nn.Module, key: Key, x: Array, condition: Array | None) -> Params:
    """Initialise the parameters of a network, `{}` where it has none.

    Raises:
        InputError: the network cannot be called with x, and the condition if one is given; or see `apply`.
    """
    inputs = _inputs(x, condition)
    _check_call(name, network, inputs)
    with _refusing(name):
        params = network.init(key, *inputs).get("params", {})
        # During init Flax creates variables and provides its key to random layers: only a call shows what they need.
        jax.eval_shape(lambda: network.apply({"params": params}, *inputs))
    return params


def apply(name: str, network: nn.Module, params: Params, x: Array, condition: Array | None) -> Any:
    """Call the network, with the condition only where one is given.

    Raises:
        InputError: the network needs random numbers or variables besides its parameters.
    """
    with _refusing(name):
        return network.apply({"params": params}, *_inputs(x, condition))


def _inputs(x: Array, condition: Array | None) -> tuple[Array, ...]:
    return (x,) if condition is None else (x, condition)


def _check_call(name: str, network: nn.Module, inputs: tuple[Array, ...]) -> None:
    takes = ", ".join(["self", "x", "condition"][: 1 + len(inputs)])
    try:
        inspect.signature(network.__call__).bind(*inputs)
    except TypeError as error:
        raise InputError(f"{name}: must have __call__({takes}), further arguments having defaults: {error}") from error


@contextlib.contextmanager
def _refusing(name: str) -> Iterator[None]:
    """Replace Flax's error for a network that is no pure function by an InputError of one line."""
    try:
        yield
    except errors.ScopeCollectionNotFound as error:
        raise InputError(f"{name}: {STATE}") from error
    except errors.InvalidRngError as error:
        raise InputError(f"{name}: {NOISE}") from error
    except ValueError as error:
        for words, remedy in REMEDIES.items():
            if words in str(error):
                raise InputError(f"{name}: {remedy}") from error
        raise
