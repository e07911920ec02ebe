"""Compiled functions of a model, which need not be hashable."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax


def compiled(function: Callable[..., Any], **fixed: Any) -> Callable[..., Any]:
    """Jit a module-level function with these arguments fixed.

    Equal arguments share one program. An argument that is not hashable (a namespace of three functions, a module with
    a list or an array) may have changed since the last call, so the program is compiled anew: call this once per
    estimate, not once per block.
    """
    try:
        hash(tuple(fixed.values()))
    except TypeError:
        return jax.jit(functools.partial(function, **fixed))
    return functools.partial(_jitted(function, tuple(fixed)), **fixed)


@functools.cache
def _jitted(function: Callable[..., Any], fixed: tuple[str, ...]) -> Callable[..., Any]:
    return jax.jit(function, static_argnames=fixed)
