"""A function over many examples, a block at a time, so that memory does not grow with their number."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from jaxvae.types import Array


def in_blocks(function: Callable[[Array], Array], x: Array | np.ndarray, *, block_size: int = 500) -> np.ndarray:
    """Apply a function of `[B, ...]` examples to `[N, ...]`, compiled once; the result gathers on the host.

    >>> print(in_blocks(lambda x: 2 * x, np.arange(5), block_size=2))
    [0 2 4 6 8]

    Args:
        function: treats each example by itself.
        x: `[N, ...]` examples, or keys.
        block_size: the most examples at once.
    """
    compiled = jax.jit(function)
    size = min(block_size, len(x))
    blocks = [np.asarray(compiled(_take(x, first, size))) for first in range(0, len(x), size)]
    return np.concatenate(blocks)[: len(x)]


def _take(x: Array | np.ndarray, first: int, size: int) -> Array:
    # The last block is filled up with the last example, because another shape would be compiled anew.
    return jnp.asarray(x[np.minimum(np.arange(first, first + size), len(x) - 1)])
