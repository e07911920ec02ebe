"""Deterministic batches: their order is a pure function of (key, epoch), without iterator state."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxvae import rng
from jaxvae.data.dataset import full_scale
from jaxvae.data.rows import Rows
from jaxvae.types import Array, Batch, Key

STEPS_PER_BLOCK = 200
"""Least number of steps that are planned together."""


class BatchOrder(NamedTuple):
    """Examples of each step, planned on the device in blocks of whole epochs.

    Every epoch contains every example once. Its last batch may be short: padding has weight 0, as have the columns that
    extend a batch to a width that is divisible among devices and microbatches.
    """

    key: Key
    """Root key of the run, or one for each of S seeds `[S]`: blocks are then `[S, M, W]`."""
    num_examples: int
    batch_size: int
    multiple_of: int = 1

    @property
    def width(self) -> int:
        """Batch size W with its padding."""
        return -(-self.batch_size // self.multiple_of) * self.multiple_of

    @property
    def steps_per_epoch(self) -> int:
        """Number of batches in one epoch; the last may be short."""
        return -(-self.num_examples // self.batch_size)

    @property
    def steps_per_block(self) -> int:
        """Number of steps M of a block, in whole epochs."""
        return self._epochs_per_block * self.steps_per_epoch

    @property
    def _epochs_per_block(self) -> int:
        return -(-STEPS_PER_BLOCK // self.steps_per_epoch)

    def block(self, index: int) -> tuple[Array, Array]:
        """Return ids and weights `[M, W]` of the steps from `index * M` on."""
        epochs = index * self._epochs_per_block + jnp.arange(self._epochs_per_block)
        ids = _shuffled(self.key, epochs, self.num_examples)
        shape = (*ids.shape[:-2], -1, self.batch_size)
        padding = (0, self.steps_per_epoch * self.batch_size - self.num_examples)
        columns = (0, self.width - self.batch_size)

        def in_batches(array: Array) -> Array:
            return _pad_last(_pad_last(array, padding).reshape(shape), columns)

        return in_batches(ids), in_batches(jnp.ones(ids.shape, jnp.float32))


@functools.partial(jax.jit, static_argnames="num_examples")
def _shuffled(key: Key, epochs: Array, num_examples: int) -> Array:
    """Return `[..., E, N]` permutations of all examples, one for each epoch."""
    if key.ndim:
        return jax.vmap(lambda one: _shuffled(one, epochs, num_examples))(key)
    keys = jax.vmap(lambda epoch: rng.stream(key, "order", epoch))(epochs)
    return jax.vmap(lambda one: jax.random.permutation(one, num_examples))(keys).astype(jnp.int32)


def _pad_last(array: Array, padding: tuple[int, int]) -> Array:
    return jnp.pad(array, [(0, 0)] * (array.ndim - 1) + [padding])


def sequential_batches(images: Rows, key: Key, *, batch_size: int, binarize: bool = False) -> Iterator[Batch]:
    """Yield a split from its first to its last example, each once, with one batch at a time on the device."""
    for first in range(0, len(images), batch_size):
        ids = np.arange(first, first + batch_size, dtype=np.int32)
        weights = (ids < len(images)).astype(np.float32)
        ids = np.where(weights > 0, ids, 0)
        yield make_batch(images[ids], key, ids, weights, binarize=binarize)


@functools.partial(jax.jit, static_argnames="binarize")
def make_batch(x: Array, key: Key, ids: Array, weights: Array, *, binarize: bool = False) -> Batch:
    """Scale examples to float32 in [0, 1].

    Args:
        x: `[B, ...]` stored examples: uint8 in 0..255, or floats in [0, 1].
        key: key from which each example's binarization is derived.
        ids: `[B]` example numbers.
        weights: `[B]`.
        binarize: sample each pixel from {0, 1} with its grey value as the probability (Burda et al. 2016, section 5).
    """
    if binarize:
        x = jax.vmap(_binarize)(rng.example_keys(key, ids), x)
    return Batch(x.astype(jnp.float32) / full_scale(x), ids, weights)


def _binarize(key: Key, x: Array) -> Array:
    if x.dtype == jnp.uint8:
        # Half a word for each pixel: 16 random bits are below v / 255 of their range with that probability.
        words = jax.random.bits(key, (-(-x.size // 2),), jnp.uint32)
        halves = jnp.concatenate([words & 0xFFFF, words >> 16])[: x.size].reshape(x.shape)
        return jnp.where(halves * 255 < x.astype(jnp.uint32) << 16, 255, 0).astype(jnp.uint8)
    return (jax.random.uniform(key, x.shape) < x).astype(x.dtype)
