"""Batches with a fixed number of labelled examples: two orders side by side."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from jaxvae import rng
from jaxvae.data.batches import BatchOrder
from jaxvae.data.lengths import LengthOrder
from jaxvae.types import Array, Key


class MixedOrder(NamedTuple):
    """Examples of each step: the first columns go through the labelled ones, the others through the unlabelled ones.

    Both orders are pure functions of the key, and begin anew when all their examples have been seen. The labelled ones
    come round more often; their weight makes up for it, so that a batch's weighted mean is that of the whole set.
    """

    key: Key
    """Root key of the run, or one for each of S seeds `[S]`."""
    labelled: np.ndarray
    """`[N_l]` indices of labelled examples."""
    unlabelled: np.ndarray
    """`[N_u]` indices of all others."""
    batch_size: int
    labelled_per_batch: int
    multiple_of: int = 1

    @property
    def others(self) -> BatchOrder:
        """Order of the unlabelled examples, which decides the epochs."""
        return BatchOrder(self.key, len(self.unlabelled), self.batch_size - self.labelled_per_batch)

    @property
    def width(self) -> int:
        """Batch size W with its padding."""
        return -(-self.batch_size // self.multiple_of) * self.multiple_of

    @property
    def steps_per_epoch(self) -> int:
        """Number of batches in which every unlabelled example comes once."""
        return self.others.steps_per_epoch

    @property
    def steps_per_block(self) -> int:
        """Number of steps M of a block."""
        return self.others.steps_per_block

    @property
    def weight(self) -> float:
        """Weight of a labelled example."""
        unlabelled = self.batch_size - self.labelled_per_batch
        return unlabelled / self.labelled_per_batch * len(self.labelled) / len(self.unlabelled)

    def block(self, index: int) -> tuple[Array, Array]:
        """Return ids and weights `[M, W]` of the steps from `index * M` on; `[S, M, W]` of several seeds."""
        places, weights = self.others.block(index)
        others = jnp.asarray(self.unlabelled, jnp.int32)[places]
        labelled = jnp.asarray(self.labelled, jnp.int32)[self._places(index)]
        ids = jnp.concatenate([labelled, jnp.where(weights > 0, others, 0)], axis=-1)
        weights = jnp.concatenate([jnp.full(labelled.shape, self.weight), weights], axis=-1)
        columns = [(0, 0)] * (ids.ndim - 1) + [(0, self.width - self.batch_size)]
        return jnp.pad(ids, columns), jnp.pad(weights, columns)

    def _places(self, index: int) -> Array:
        """Return `[..., M, L]` places in the list of labelled examples."""
        num, steps = len(self.labelled), self.steps_per_block
        first = index * steps * self.labelled_per_batch
        positions = first + np.arange(steps * self.labelled_per_batch)
        epochs = np.arange(positions[0] // num, positions[-1] // num + 1)

        def of_key(key: Key) -> Array:
            keys = jax.vmap(lambda epoch: rng.stream(key, "labelled order", epoch))(jnp.asarray(epochs))
            orders = jax.vmap(lambda one: jax.random.permutation(one, num))(keys)
            return orders[positions // num - epochs[0], positions % num].reshape(steps, -1)

        return jax.vmap(of_key)(self.key) if self.key.ndim else of_key(self.key)


Order: TypeAlias = BatchOrder | LengthOrder | MixedOrder
"""Order of the examples of a training."""
