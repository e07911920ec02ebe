"""Many examples, a block at a time, so that memory does not grow with their number."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from jaxvae.types import Array

Bar: TypeAlias = Callable[[Iterable[int]], Iterable[int]]
"""What the loop over the blocks' first examples is wrapped in, such as `tqdm`."""


def example_blocks(num: int, block_size: int, progress: Bar = iter) -> Iterator[np.ndarray]:
    """Example numbers, as many at once; the last block repeats the last, because another shape would be compiled anew.

    >>> print(*example_blocks(5, 2))
    [0 1] [2 3] [4 4]
    """
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
    """
    compiled = jax.jit(function)
    blocks = [np.asarray(compiled(jnp.asarray(x[ids]))) for ids in example_blocks(len(x), block_size)]
    return np.concatenate(blocks)[: len(x)]
