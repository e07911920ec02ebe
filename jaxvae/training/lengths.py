"""Training steps on rows of several lengths, of which each batch takes the shortest that holds its rows."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp

from jaxvae.training.step import Metrics, TrainStep
from jaxvae.types import Array, Batch, TrainState


def by_length(steps: Sequence[TrainStep], bounds: Sequence[int], padding: int, *, axis_name: str | None) -> TrainStep:
    """Make a step that leaves out columns of padding.

    All steps lie in one compiled program, of which a batch runs one.

    Args:
        steps: a step for each bound, on rows of this many tokens.
        bounds: increasing; the last is the length of the rows.
        padding: number of the padding.
        axis_name: device axis over which the steps reduce; None without one.
    """

    def on_first(step: TrainStep, length: int) -> TrainStep:
        return lambda state, batch: step(state, batch._replace(x=batch.x[:, :length]))

    branches = [on_first(step, length) for step, length in zip(steps, bounds, strict=True)]

    def step(state: TrainState, batch: Batch) -> tuple[TrainState, Metrics]:
        lengths = jnp.where(batch.weights > 0, (batch.x != padding).sum(-1), 0)
        longest = _largest(lengths)
        if axis_name is not None:
            # All devices must take the same branch, where they meet to sum up gradients.
            longest = jax.lax.pmax(longest, axis_name)
        return jax.lax.switch(jnp.searchsorted(jnp.array(bounds), longest), branches, state, batch)

    return step


@jax.custom_batching.custom_vmap
def _largest(lengths: Array) -> Array:
    return lengths.max()


@_largest.def_vmap
def _largest_of_all(axis_size: int, in_batched: list[bool], lengths: Array) -> tuple[Array, bool]:
    # One number for seeds trained together: with one for each, vmap would run all branches and choose afterwards.
    del axis_size, in_batched
    return lengths.max(), False
