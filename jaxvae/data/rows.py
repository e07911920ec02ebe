"""Rows of examples that are read when they are indexed, and need not be in memory."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import jax
import numpy as np

BLOCK_BYTES = 16 << 20
"""Size in bytes of one block in a pass over a whole set."""
_TASK_BYTES = 1 << 20
"""Size in bytes of one thread's read."""
_UINT8 = np.dtype(np.uint8)


class Rows(Protocol):
    """Interface of examples `[N, ...]`, indexed by a slice or by integers of any shape, as a NumPy array is."""

    @property
    def shape(self) -> tuple[int, ...]:
        """`(N, ...)`."""
        ...

    @property
    def dtype(self) -> np.dtype:
        """Type of one value."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, ids: Any, /) -> np.ndarray: ...


@dataclass(frozen=True, eq=False)
class LazyRows:
    """Rows that a function reads from storage, in as many threads as there are cores."""

    read: Callable[[np.ndarray], np.ndarray]
    """Function from ids `[B]` to rows `[B, ...]`; called by several threads concurrently."""
    shape: tuple[int, ...]
    dtype: np.dtype = _UINT8

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, ids: Any, /) -> np.ndarray:
        wanted = np.arange(*ids.indices(len(self))) if isinstance(ids, slice) else np.asarray(ids)
        flat = wanted.reshape(-1)
        rows = np.empty((flat.size, *self.shape[1:]), self.dtype)

        def fill(part: slice) -> None:
            rows[part] = self.read(flat[part])

        parts = _parts(rows, _TASK_BYTES)
        if len(parts) == 1:
            fill(parts[0])
        elif parts:
            with ThreadPoolExecutor(min(len(parts), os.cpu_count() or 1)) as threads:
                list(threads.map(fill, parts))
        return rows.reshape(wanted.shape + self.shape[1:])


@dataclass(frozen=True, eq=False)
class Subset:
    """Subset of rows, in the order of its ids."""

    rows: Rows
    ids: np.ndarray
    """`[N]` indices of the rows."""

    @property
    def shape(self) -> tuple[int, ...]:
        """`(N, ...)`."""
        return (len(self.ids), *self.rows.shape[1:])

    @property
    def dtype(self) -> np.dtype:
        """Type of one value."""
        return self.rows.dtype

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, ids: Any, /) -> np.ndarray:
        return self.rows[self.ids[ids]]


def mapped(rows: Rows, function: Callable[[np.ndarray], np.ndarray], shape: tuple[int, ...], dtype: Any) -> Rows:
    """Apply a function to rows: now where they are in memory, otherwise whenever they are read.

    Args:
        rows: `[N, ...]`.
        function: pure function of some of the rows.
        shape: shape of all its results, `(N, ...)`.
        dtype: their type.
    """
    if isinstance(rows, np.ndarray):
        return function(rows)
    return LazyRows(lambda ids: function(rows[ids]), shape, np.dtype(dtype))


def blocks(rows: Rows) -> Iterator[np.ndarray]:
    """Yield all rows in order, in blocks of `BLOCK_BYTES`."""
    return (rows[part] for part in _parts(rows, BLOCK_BYTES))


def gather(rows: Any, ids: Any) -> Any:
    """Index rows, or every array of a tree of rows."""
    return jax.tree.map(lambda one: one[ids], rows)


def num_rows(rows: Any) -> int:
    """Return the number N of rows of a tree `[N, ...]`."""
    return len(jax.tree.leaves(rows)[0])


def num_bytes(rows: Any) -> int:
    """Return the size of all rows of a tree in memory."""
    return sum(len(one) * _row_bytes(one) for one in jax.tree.leaves(rows))


def _row_bytes(rows: Rows) -> int:
    return rows.dtype.itemsize * int(np.prod(rows.shape[1:]))


def _parts(rows: Rows, part_bytes: int) -> list[slice]:
    length = max(1, part_bytes // _row_bytes(rows))
    return [slice(first, first + length) for first in range(0, len(rows), length)]
