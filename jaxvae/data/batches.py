"""Deterministic batches: the order is a pure function of (key, epoch), so there is no iterator state to lose.

A whole split lives on the device as it was stored; a batch is its example numbers, gathered and scaled there.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np

from jaxvae import rng
from jaxvae.data.dataset import full_scale
from jaxvae.types import Array, Batch, Key


def num_batches(num_examples: int, batch_size: int) -> int:
    """Batches in one epoch; the last may be short."""
    return -(-num_examples // batch_size)


def epoch_batches(key: Key, epoch: int, num_examples: int, batch_size: int) -> tuple[np.ndarray, np.ndarray]:
    """All batches of one epoch, every example once.

    Returns:
        ids `[S, B]` and weights `[S, B]`; a short last batch is padded with example 0 at weight 0.
    """
    order = jax.random.permutation(rng.stream(key, "order", epoch), num_examples)
    return _in_batches(np.asarray(order, np.int32), batch_size)


def training_batches(
    key: Key, num_examples: int, batch_size: int, first_step: int = 0
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Endless `(ids, weights)` of one batch after another, as a run sees them from `first_step` on."""
    epoch, skip = divmod(first_step, num_batches(num_examples, batch_size))
    while True:
        ids, weights = epoch_batches(key, epoch, num_examples, batch_size)
        yield from zip(ids[skip:], weights[skip:])
        epoch, skip = epoch + 1, 0


def sequential_batches(images: Array, key: Key, *, batch_size: int, binarize: bool = False) -> Iterator[Batch]:
    """A split from its first to its last example, each once."""
    for ids, weights in zip(*_in_batches(np.arange(len(images), dtype=np.int32), batch_size)):
        yield make_batch(images, key, ids, weights, binarize=binarize)


@functools.partial(jax.jit, static_argnames="binarize")
def make_batch(images: Array, key: Key, ids: Array, weights: Array, *, binarize: bool = False) -> Batch:
    """Gather examples and scale them to float32 in [0, 1].

    Args:
        images: `[N, ...]` the split: uint8 in 0..255, or floats in [0, 1].
        key: what the binarization of each example is derived from.
        ids: `[B]` example numbers.
        weights: `[B]`.
        binarize: draw each pixel from {0, 1} with its grey value as the probability (Burda et al. 2016, section 5).
    """
    x = images[ids]
    if binarize:
        x = jax.vmap(_binarize)(rng.example_keys(key, ids), x)
    return Batch(x.astype(jnp.float32) / full_scale(x), ids, weights)


def _binarize(key: Key, x: Array) -> Array:
    if x.dtype == jnp.uint8:
        # 16 random bits, stretched over 0..254, are below a grey value v with probability v / 255.
        level = (jax.random.bits(key, x.shape, jnp.uint16).astype(jnp.uint32) * 255) >> 16
        return jnp.where(level < x, 255, 0).astype(jnp.uint8)
    return (jax.random.uniform(key, x.shape) < x).astype(x.dtype)


def _in_batches(ids: np.ndarray, batch_size: int) -> tuple[np.ndarray, np.ndarray]:
    rows = num_batches(len(ids), batch_size)
    padding = (0, rows * batch_size - len(ids))
    weights = np.pad(np.ones(len(ids), np.float32), padding)
    return np.pad(ids, padding).reshape(rows, batch_size), weights.reshape(rows, batch_size)
