"""Streaming of data: the test whether it fits on the device, and prefetching."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import jax

from jaxvae.data.memory import machine_memory
from jaxvae.data.rows import num_bytes

_T = TypeVar("_T")

_SHARE = 0.25
"""Share of the memory; networks, activations and an evaluation's batches need the rest."""


def fits_on_device(rows: Any, device: jax.Device) -> bool:
    """Return True if a tree of rows takes at most a quarter of a device's memory; a CPU's is the machine's."""
    memory = (device.memory_stats() or {}).get("bytes_limit")
    if memory is None:
        memory = machine_memory()
    return num_bytes(rows) <= _SHARE * memory


def prefetch(read: Callable[[int], _T], num_items: int, *, num_threads: int, buffer_size: int) -> Iterator[_T]:
    """Yield `read(0), read(1), ..., read(num_items - 1)`, in this order, prefetched by grain's threads.

    There is no state to save: a resumed run numbers its items from another one on. An item should take milliseconds,
    because grain spends some tens of microseconds on each.

    Args:
        read: pure function of an item's number, called by several threads. Its exceptions are passed on.
        num_items: number of items.
        num_threads: number of threads that read.
        buffer_size: number of items that are prefetched.
    """
    import grain

    items = grain.MapDataset.range(num_items).map(read)
    options = grain.ReadOptions(num_threads=num_threads, prefetch_buffer_size=buffer_size)
    iterator = iter(items.to_iter_dataset(options, allow_nones=True))
    try:
        yield from iterator
    finally:
        iterator.close()
