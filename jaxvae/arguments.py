"""Checks of numeric arguments from Python, NumPy and JAX; traced values cannot be checked."""

from __future__ import annotations

import math
import operator
from typing import Any

import jax
import numpy as np

from jaxvae.types import InputError


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
    jaxvae.types.InputError: beta: must be 0 or more and finite, got -1.0

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
