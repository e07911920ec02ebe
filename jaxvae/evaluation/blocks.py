"""Computation in blocks of examples, so that memory does not grow with their number."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import NamedSharding, PartitionSpec

from jaxvae.types import Array, InputError

Bar: TypeAlias = Callable[[Iterable[int]], Iterable[int]]
"""Wrapper of the loop over the blocks' first examples, such as `tqdm`."""


def example_blocks(num: int, block_size: int, progress: Bar = iter) -> Iterator[np.ndarray]:
    """Yield example numbers in blocks; the last block repeats the last number, to keep one compiled shape.

    >>> print(*example_blocks(5, 2))
    [0 1] [2 3] [4 4]

    Raises:
        InputError: there are no examples, or `block_size` is below 1.
    """
    check_counts(block_size=block_size)
    if not num:
        raise InputError("x: holds no examples; give one or more")
    size = min(block_size, num)
    for first in progress(range(0, num, size)):
        yield np.minimum(np.arange(first, first + size), num - 1)


def in_blocks(function: Callable[[Any], Array], x: Any, *, block_size: int = 500) -> np.ndarray:
    """Apply a function of `[B, ...]` examples to `[N, ...]`, compiled once; the result is gathered on the host.

    >>> print(in_blocks(lambda x: 2 * x, np.arange(5), block_size=2))
    [0 2 4 6 8]

    Args:
        function: function that treats examples independently.
        x: `[N, ...]` examples, an array or a tree of arrays, or keys.
        block_size: maximum number of examples per block.

    Raises:
        InputError: there are no examples, or `block_size` is below 1.
    """
    compiled = jax.jit(function)
    num = num_rows(x)
    blocks = [np.asarray(compiled(take(x, ids))) for ids in example_blocks(num, block_size)]
    return np.concatenate(blocks)[:num]


def num_rows(x: Any) -> int:
    """Return the number N of examples of an array `[N, ...]`, or of a tree of them."""
    return len(jax.tree.leaves(x)[0])


def take(x: Any, ids: np.ndarray) -> Any:
    """Return rows of an array, or of a tree of arrays, on the device; sharded over an explicit mesh, on all of it."""
    return jax.tree.map(lambda leaf: _take(leaf, ids), x)


def _take(x: Array | np.ndarray, ids: np.ndarray) -> Array:
    if isinstance(x, jax.Array) and any(axis is not None for axis in jax.typeof(x).sharding.spec):
        # With an explicit mesh, JAX leaves the sharding of the rows to the caller.
        return x.at[ids].get(out_sharding=NamedSharding(jax.typeof(x).sharding.mesh, PartitionSpec()))
    return jnp.asarray(x[ids])


def check_counts(**counts: int) -> None:
    """Refuse numbers below 1, by name.

    Raises:
        InputError: a number is below 1.
    """
    for name, count in counts.items():
        if count < 1:
            raise InputError(f"{name}: must be 1 or more, got {count}")
