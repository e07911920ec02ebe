"""Computation in blocks of examples, so that memory does not grow with their number."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import NamedSharding, PartitionSpec

from jaxvae.errors import InputError
from jaxvae.types import Array, Bar

DECODED = 2**25
"""Largest number of decoder outputs at once, in float32 128 MiB; gradients and normalised copies come on top."""


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


def at_once(space: Any, most: int) -> int:
    """Return the number of examples, `most` or fewer, whose decoder outputs fit in memory together.

    A token's output is one number for each token of the vocabulary: 500 sentences of 80 words from a vocabulary of
    10,000 would take 1.6 GB.

    Args:
        space: space of an example, or None where nothing is known of it.
        most: number to stay below.
    """
    if space is None:
        return most
    outputs = math.prod(space.shape) * getattr(space, "size", 1)
    return max(1, min(most, DECODED // outputs))


def in_blocks(function: Callable[..., Any], *examples: Any, block_size: int = 500, progress: Bar = iter) -> Any:
    """Apply a function of `[B, ...]` examples to `[N, ...]`, compiled once; the result is gathered on the host.

    >>> print(in_blocks(lambda x: 2 * x, np.arange(5), block_size=2))
    [0 2 4 6 8]

    Args:
        function: function that treats examples independently, and returns an array or a tree of arrays.
        examples: `[N, ...]` examples or keys, trees of such arrays, or None, each an argument of the function.
        block_size: maximum number of examples per block.
        progress: wrapper of the loop over the blocks' first examples, such as `tqdm`.

    Raises:
        InputError: there are no examples, or `block_size` is below 1.
    """
    compiled = jax.jit(function)
    num = count_examples(examples)
    blocks = [jax.device_get(compiled(*take(examples, ids))) for ids in example_blocks(num, block_size, progress)]
    return jax.tree.map(lambda *parts: np.concatenate(parts)[:num], *blocks)


def count_examples(examples: Any) -> int:
    """Return the number N of examples `[N, ...]`, an array or a tree of arrays."""
    return len(jax.tree.leaves(examples)[0])


def check_conditions(condition: Array | np.ndarray | None, num: int) -> None:
    """Refuse conditions that are not one for each of `num` examples.

    Raises:
        InputError: there are more or fewer.
    """
    if condition is not None and len(condition) != num:
        raise InputError(f"condition: {len(condition)} rows for {num} examples; give one for each")


def take(examples: Any, ids: np.ndarray) -> Any:
    """Return rows of an array, or of every array of a tree, on the device.

    Rows of an array that is sharded over an explicit mesh lie on all its devices.
    """
    return jax.tree.map(lambda array: _rows(array, ids), examples)


def _rows(x: Array | np.ndarray, ids: np.ndarray) -> Array:
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
