"""Input of a run: chunks of batches, gathered from a set on the device, or streamed there from the host.

Both give the same examples in the same order, from any step on.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import jax
import numpy as np

from jaxvae.data.mixed_batches import Order
from jaxvae.data.rows import gather
from jaxvae.data.stream import prefetch
from jaxvae.types import Chunk

Place = Callable[[Chunk], Chunk]
"""Function that puts a chunk's arrays on the devices, without the columns that other processes feed."""
STREAMED_BYTES = 32 << 20
"""Maximum size of a streamed chunk in bytes; several are buffered."""


def chunk_counts(first_step: int, last_step: int, *, boundaries: Iterable[int], limit: int) -> Iterator[int]:
    """Yield the number of steps of each chunk: at most `limit`, and none crosses a multiple of a boundary.

    >>> list(chunk_counts(3, 20, boundaries=(10,), limit=4))
    [4, 3, 4, 4, 2]
    """
    step = first_step
    while step < last_step:
        ends = [last_step, step + limit, *((step // every + 1) * every for every in boundaries)]
        yield min(ends) - step
        step = min(ends)


def resident_chunks(
    order: Order,
    place: Place,
    first_step: int,
    counts: Iterable[int],
    *,
    columns: slice = slice(None),
) -> Iterator[Chunk]:
    """Yield chunks of example indices alone; the arguments are those of `streamed_chunks`."""
    step, block = first_step, -1
    for count in counts:
        index, row = divmod(step, order.steps_per_block)
        if index != block:
            ids, weights = (array[..., columns] for array in order.block(index))
            block, chunk = index, place(Chunk(ids, weights, rows=None, first_row=0, num_steps=0))
        yield chunk._replace(first_row=row, num_steps=count)
        step += count


def streamed_chunks(
    order: Order,
    rows: Any,
    place: Place,
    first_step: int,
    counts: Iterable[int],
    *,
    columns: slice = slice(None),
    num_threads: int = 2,
    buffer_size: int = 4,
) -> Iterator[Chunk]:
    """Yield chunks with their examples, prefetched by threads.

    Args:
        order: order of the examples.
        rows: `[N, ...]` stored examples on the host, or a tree of such rows.
        place: see `Place`.
        first_step: first step.
        counts: number of steps of each chunk; none may cross a multiple of `order.steps_per_block`.
        columns: the part of each batch that this process feeds.
        num_threads: number of threads that read.
        buffer_size: number of chunks that are prefetched.
    """
    sizes = list(counts)
    firsts = first_step + np.cumsum([0, *sizes])
    capacity = max(sizes, default=0)

    @functools.lru_cache(maxsize=2)
    def host_block(index: int) -> tuple[np.ndarray, ...]:
        return tuple(np.asarray(array)[..., columns] for array in order.block(index))

    def read(item: int) -> Chunk:
        index, start = divmod(int(firsts[item]), order.steps_per_block)
        ids, weights = (_fill(array[..., start : start + sizes[item], :], capacity) for array in host_block(index))
        gathered = gather(rows, ids[..., : sizes[item], :])
        filled = jax.tree.map(lambda array: _fill(array, capacity, axis=ids.ndim - 2), gathered)
        return Chunk(ids, weights, filled, first_row=0, num_steps=sizes[item])

    yield from map(place, prefetch(read, len(sizes), num_threads=num_threads, buffer_size=buffer_size))


def _fill(array: np.ndarray, length: int, axis: int = -2) -> np.ndarray:
    """Append zeros, so that a short chunk has the shape of the others and uses the same compiled program."""
    padding = [(0, 0)] * array.ndim
    padding[axis] = (0, length - array.shape[axis])
    return np.pad(array, padding)
