"""Deterministic batches: their order is a pure function of (key, epoch), without iterator state."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxvae import rng
from jaxvae.data.dataset import Examples, read_condition
from jaxvae.data.rows import gather, num_rows
from jaxvae.data.spaces.values import as_values
from jaxvae.types import Array, Batch, Key, Space

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
        ids = shuffled(self.key, epochs, self.num_examples)
        shape = (*ids.shape[:-2], -1, self.batch_size)
        padding = (0, self.steps_per_epoch * self.batch_size - self.num_examples)
        columns = (0, self.width - self.batch_size)

        def in_batches(array: Array) -> Array:
            return _pad_last(_pad_last(array, padding).reshape(shape), columns)

        return in_batches(ids), in_batches(jnp.ones(ids.shape, jnp.float32))


@functools.partial(jax.jit, static_argnames="num_examples")
def shuffled(key: Key, epochs: Array, num_examples: int) -> Array:
    """Return `[..., E, N]` permutations of all examples, one for each epoch."""
    if key.ndim:
        return jax.vmap(lambda one: shuffled(one, epochs, num_examples))(key)
    keys = jax.vmap(lambda epoch: rng.stream(key, "order", epoch))(epochs)
    return jax.vmap(lambda one: jax.random.permutation(one, num_examples))(keys).astype(jnp.int32)


def _pad_last(array: Array, padding: tuple[int, int]) -> Array:
    return jnp.pad(array, [(0, 0)] * (array.ndim - 1) + [padding])


def sequential_batches(
    x: Examples,
    key: Key,
    *,
    batch_size: int,
    space: Space | None = None,
    condition: np.ndarray | None = None,
    condition_space: Space | None = None,
    numbers: Iterable[int] | None = None,
) -> Iterator[Batch]:
    """Yield examples from the first to the last, each once, with one batch at a time on the device.

    The arguments are those of `make_batch`, with all N examples in place of a batch; and `numbers` are those of the
    batches to yield, all if not given.
    """
    num = num_rows(x)
    for number in range(math.ceil(num / batch_size)) if numbers is None else numbers:
        first = number * batch_size
        ids = np.arange(first, first + batch_size, dtype=np.int32)
        weights = (ids < num).astype(np.float32)
        ids = np.where(weights > 0, ids, 0)
        stored, given = gather((x, condition), ids)
        yield make_batch(stored, key, ids, weights, given, space=space, condition_space=condition_space)


@functools.partial(jax.jit, static_argnames=("space", "condition_space"))
def make_batch(
    x: Any,
    key: Key,
    ids: Array,
    weights: Array,
    condition: Array | None = None,
    *,
    space: Space | None = None,
    condition_space: Space | None = None,
) -> Batch:
    """Convert stored examples to those that a model sees.

    Args:
        x: `[B, ...]` stored examples, or a dict of such arrays.
        key: key from which each example's draws are derived, such as those of its binarization.
        ids: `[B]` example numbers.
        weights: `[B]`.
        condition: `[B]` stored conditions, such as class numbers; None where there are none, or they are a part of x.
        space: meaning of the examples; by default bytes become float32 in [0, 1], and integers stay integers.
        condition_space: meaning of the conditions; by default that of examples.
    """
    read = space.read(rng.example_keys(key, ids), x) if space else as_values(x)
    given = read_condition(condition_space, read, condition if condition_space else as_values(condition))
    return Batch(read, ids, weights, given)
