"""Data that does not fit on the device: whether it does, and reading ahead of the steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

import jax

from jaxvae.data.memory import machine_memory
from jaxvae.data.rows import Rows, num_bytes

_T = TypeVar("_T")

_SHARE = 0.25
"""Of the memory: networks, activations and an evaluation's batches want their part."""


def fits_on_device(images: Rows, device: jax.Device) -> bool:
    """Whether images take at most a quarter of a device's memory; a CPU's is the machine's."""
    memory = (device.memory_stats() or {}).get("bytes_limit")
    if memory is None:
        memory = machine_memory()
    return num_bytes(images) <= _SHARE * memory


def prefetch(read: Callable[[int], _T], num_items: int, *, num_threads: int, buffer_size: int) -> Iterator[_T]:
    """`read(0), read(1), ..., read(num_items - 1)`, in this order, read ahead by grain's threads.

    There is no state to save: to resume is to number the items from another one on. An item should be worth
    milliseconds, because grain spends some tens of microseconds on each.

    Args:
        read: a pure function of an item's number, called by several threads at once. Its exceptions come through.
        num_items: how many there are.
        num_threads: readers.
        buffer_size: items that are read ahead.
    """
    import grain

    items = grain.MapDataset.range(num_items).map(read)
    options = grain.ReadOptions(num_threads=num_threads, prefetch_buffer_size=buffer_size)
    iterator = iter(items.to_iter_dataset(options, allow_nones=True))
    try:
        yield from iterator
    finally:
        iterator.close()
