"""Lengths of rows of tokens, and batches of rows of like length, which need less padding."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxvae import rng
from jaxvae.data.batches import BatchOrder, shuffled
from jaxvae.data.rows import Rows, blocks
from jaxvae.types import Array, Key


def row_lengths(rows: Rows, padding: int) -> np.ndarray:
    """Return `[N]` numbers of tokens in rows `[N, T]`, the end mark included."""
    return np.concatenate([(block != padding).sum(axis=1) for block in blocks(rows)])


def fit_bounds(lengths: np.ndarray, num: int) -> tuple[int, ...]:
    """Return the `num` lengths, or fewer, to which rows are padded with the fewest tokens in all.

    Each row is padded to the smallest bound that is not below its length; the largest bound is the largest length.
    The sum over rows is minimised exactly, by dynamic programming over the different lengths.

    >>> fit_bounds(np.array([2, 2, 2, 3, 9, 9]), 2)
    (3, 9)
    """
    values, counts = np.unique(lengths, return_counts=True)
    rows_up_to = np.concatenate([[0], np.cumsum(counts)])
    # least[j] is the cost of the j shortest lengths; a further bound pads lengths i to j - 1 to the last of them.
    least = np.where(rows_up_to > 0, np.inf, 0.0)
    cuts = []
    for _ in range(min(num, len(values))):
        costs = least[:, None] + (rows_up_to[None, 1:] - rows_up_to[:, None]) * values
        costs[np.arange(len(values) + 1)[:, None] > np.arange(len(values))] = np.inf
        cuts.append(costs.argmin(axis=0))
        least = np.concatenate([[np.inf], costs.min(axis=0)])
    bounds, last = [], len(values)
    for cut in reversed(cuts):
        bounds.append(int(values[last - 1]))
        last = int(cut[last - 1])
    return tuple(reversed(bounds))


class LengthOrder(NamedTuple):
    """Examples of each step, with batches of like length: an epoch is shuffled, sorted by length, and cut in batches.

    Every epoch contains every example once. Only one batch of an epoch, another each time, is short and has padding of
    weight 0. Batches come in random order; at one step those of all seeds have like length.
    """

    key: Key
    """Root key of the run, or one for each of S seeds `[S]`: blocks are then `[S, M, W]`."""
    bucket: np.ndarray
    """`[N]` number of each example's bucket, which grows with its length."""
    batch_size: int
    multiple_of: int = 1

    @property
    def unsorted(self) -> BatchOrder:
        """Order of the same examples without regard to their lengths, with batches of the same size."""
        return BatchOrder(self.key, len(self.bucket), self.batch_size, self.multiple_of)

    @property
    def width(self) -> int:
        """Batch size W with its padding."""
        return self.unsorted.width

    @property
    def steps_per_epoch(self) -> int:
        """Number of batches in one epoch."""
        return self.unsorted.steps_per_epoch

    @property
    def steps_per_block(self) -> int:
        """Number of steps M of a block, in whole epochs."""
        return self.unsorted.steps_per_block

    def block(self, index: int) -> tuple[Array, Array]:
        """Return ids and weights `[M, W]` of the steps from `index * M` on."""
        num_epochs = self.steps_per_block // self.steps_per_epoch
        epochs = index * num_epochs + jnp.arange(num_epochs)
        ids, weights = _in_batches(self.key, epochs, jnp.asarray(self.bucket), self.batch_size)
        columns = [(0, 0)] * (ids.ndim - 1) + [(0, self.width - self.batch_size)]
        return jnp.pad(ids, columns), jnp.pad(weights, columns)


@functools.partial(jax.jit, static_argnames="batch_size")
def _in_batches(key: Key, epochs: Array, bucket: Array, batch_size: int) -> tuple[Array, Array]:
    """Return ids and weights `[..., E * batches, B]`."""
    num_batches = -(-len(bucket) // batch_size)
    missing = num_batches * batch_size - len(bucket)

    def of_epoch(order: Array, epoch: Array) -> tuple[Array, Array]:
        by_length = order[jnp.argsort(bucket[order], stable=True)]
        # The same key for every seed, so that seeds trained together have batches of like length.
        of_batches = rng.stream(rng.root(0), "order of lengths", epoch)
        batches = jax.random.permutation(of_batches, num_batches)
        short = jax.random.randint(rng.stream(of_batches, "short batch"), (), 0, num_batches)
        columns = jnp.arange(batch_size)
        there = (batches != short)[:, None] | (columns < batch_size - missing)
        places = batches[:, None] * batch_size + columns - missing * (batches > short)[:, None]
        return jnp.where(there, by_length[places], 0), there.astype(jnp.float32)

    orders = shuffled(key, epochs, len(bucket))
    of_epochs: Any = jax.vmap(of_epoch)
    ids, weights = (jax.vmap(of_epochs, (0, None)) if key.ndim else of_epochs)(orders, epochs)
    return tuple(array.reshape(*array.shape[:-3], -1, batch_size) for array in (ids, weights))
