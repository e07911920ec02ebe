"""Many examples, a block at a time, so that memory does not grow with their number."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import NamedSharding, PartitionSpec

from jaxvae.types import Array, InputError

Bar: TypeAlias = Callable[[Iterable[int]], Iterable[int]]
"""What the loop over the blocks' first examples is wrapped in, such as `tqdm`."""


def example_blocks(num: int, block_size: int, progress: Bar = iter) -> Iterator[np.ndarray]:
    """Example numbers, as many at once; the last block repeats the last, because another shape would be compiled anew.

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


def in_blocks(function: Callable[[Array], Array], x: Array | np.ndarray, *, block_size: int = 500) -> np.ndarray:
    """Apply a function of `[B, ...]` examples to `[N, ...]`, compiled once; the result gathers on the host.

    >>> print(in_blocks(lambda x: 2 * x, np.arange(5), block_size=2))
    [0 2 4 6 8]

    Args:
        function: treats each example by itself.
        x: `[N, ...]` examples, or keys.
        block_size: the most examples at once.

    Raises:
        InputError: there are no examples, or `block_size` is below 1.
    """
    compiled = jax.jit(function)
    blocks = [np.asarray(compiled(take(x, ids))) for ids in example_blocks(len(x), block_size)]
    return np.concatenate(blocks)[: len(x)]


def take(x: Array | np.ndarray, ids: np.ndarray) -> Array:
    """Rows of x on the device; of an array spread over an explicit mesh, on all its devices."""
    if isinstance(x, jax.Array) and any(axis is not None for axis in jax.typeof(x).sharding.spec):
        # There JAX leaves it to the caller where the rows shall lie.
        return x.at[ids].get(out_sharding=NamedSharding(jax.typeof(x).sharding.mesh, PartitionSpec()))
    return jnp.asarray(x[ids])


def check_counts(**counts: int) -> None:
    """Refuse numbers below 1, by name.

    Raises:
        InputError: one is.
    """
    for name, count in counts.items():
        if count < 1:
            raise InputError(f"{name}: must be 1 or more, got {count}")
