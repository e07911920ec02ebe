"""Compiled programs whose numbers do not depend on how many examples there are: one shape, one thread, zeros beside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from jaxvae.types import Params

ONE_THREAD = {"xla_cpu_multi_thread_eigen": False}
"""Compiler option by which sums on CPU do not depend on the number of cores."""


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function so that the same inputs give the same bits in every process on this machine."""
    return jax.jit(function, compiler_options=ONE_THREAD if jax.default_backend() == "cpu" else None)


def padded(function: Callable[..., Any], params: Params, width: int) -> Callable[..., Any]:
    """Return a function of `[L, ...]` NumPy rows, L up to `width`, that is computed of `width` rows, the others zeros.

    Args:
        function: function `(params, *rows)` that treats rows independently and returns a tree of arrays.
        params: its parameters.
        width: number of rows of the compiled program.
    """
    program = compiled(function)

    def call(*rows: Any) -> Any:
        num = len(jax.tree.leaves(rows)[0])
        outputs = jax.device_get(program(params, *jax.tree.map(lambda array: pad(array, width), rows)))
        return jax.tree.map(lambda array: array[:num], outputs)

    return call


def pad(array: np.ndarray, width: int) -> np.ndarray:
    """Return `[width, ...]` rows, with zeros behind the given ones."""
    return np.concatenate([array, np.zeros((width - len(array), *array.shape[1:]), array.dtype)])
