"""Arguments of functions: checks of names and numbers, and what a function asks for by name."""

from __future__ import annotations

import functools
import inspect
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import jax
import numpy as np

from jaxvae.errors import InputError, did_you_mean

Row = TypeVar("Row")


def look_up(table: Mapping[str, Row], what: str, name: str) -> Row:
    """Return a table's row by name.

    Raises:
        InputError: there is no such row; the message names them all, and the nearest.
    """
    if name not in table:
        raise InputError(f"{what}: must be one of {', '.join(table)}, got {name!r}{did_you_mean(name, table)}")
    return table[name]


def known(name: str, value: Any) -> np.ndarray | None:
    """Return numbers as float64, or None where they are traced or lie on another process's devices.

    Raises:
        TypeError: the value holds no real numbers.
    """
    if isinstance(value, jax.core.Tracer) or not getattr(value, "is_fully_addressable", True):
        return None
    try:
        return np.asarray(value, np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name}: must be a real number or an array of them, got {type(value).__name__}") from error


def check_number(name: str, value: Any, least: float = 0.0, most: float = math.inf) -> None:
    """Refuse numbers outside a range, infinite ones and NaN, where they are concrete.

    >>> check_number("beta", np.float32(-1))
    Traceback (most recent call last):
        ...
    jaxvae.errors.InputError: beta: must be 0 or more and finite, got -1.0

    Raises:
        InputError: a number is out of range.
        TypeError: the value holds no real numbers.
    """
    numbers = known(name, value)
    if numbers is None:
        return
    wrong = numbers[~(np.isfinite(numbers) & (numbers >= least) & (numbers <= most))]
    if not wrong.size:
        return
    wanted = "finite" if least == -math.inf else f"{least:g} or more and finite"
    wanted = wanted if most == math.inf else f"from {least:g} to {most:g}"
    raise InputError(f"{name}: must be {wanted}, got {float(wrong.flat[0])}")


def whole_number(name: str, value: Any, least: int = 1, most: int | None = None) -> int:
    """Convert a whole number of any library to a Python int.

    >>> whole_number("num", np.int64(3))
    3

    Raises:
        InputError: the number is out of range.
        TypeError: the value is no whole number, or traced: shapes depend on it.
    """
    if isinstance(value, jax.core.Tracer):
        raise TypeError(f"{name}: must be known before tracing, got a traced value; make it a static argument")
    try:
        number = operator.index(value)
    except TypeError as error:
        raise _no_whole_number(name, value) from error
    if isinstance(value, bool):
        raise _no_whole_number(name, value)
    wanted = f"at least {least}" if most is None else f"from {least} to {most}"
    if number < least or (most is not None and number > most):
        raise InputError(f"{name}: must be {wanted}, got {number}")
    return number


def _no_whole_number(name: str, value: Any) -> TypeError:
    return TypeError(f"{name}: must be a whole number, got {' '.join(repr(value).split())} ({type(value).__name__})")


def asked(function: Callable[..., Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of the known arguments that a function has by name, and that no `functools.partial` has bound.

    Wrappers made with `functools.wraps` are seen through; `**options` ask for nothing.

    >>> def loss(params, *, model, num_examples, step=0): ...
    >>> asked(functools.partial(loss, step=5), {"num_examples": 70_000, "step": 1, "axis_name": "batch"})
    {'num_examples': 70000}
    """
    parameters = inspect.signature(function).parameters.values()
    open_ = {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)} - _bound(function)
    return {name: value for name, value in known.items() if name in open_}


def _bound(function: Any) -> set[str]:
    """Return the names that partials inside wrappers have bound."""
    if isinstance(function, functools.partial):
        return set(function.keywords) | _bound(function.func)
    return _bound(function.__wrapped__) if hasattr(function, "__wrapped__") else set()
