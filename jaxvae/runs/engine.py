"""Engine of a training: the step, its dispatch to the devices, and the chunks of examples, from its options."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import jax
import numpy as np

from jaxvae import rng
from jaxvae.data import Rows, Split
from jaxvae.data.batches import BatchOrder, make_batch
from jaxvae.data.feed import STREAMED_BYTES, chunk_counts, resident_chunks, streamed_chunks
from jaxvae.data.stream import fits_on_device
from jaxvae.options.groups import Compute, Train, settled
from jaxvae.options.recipe import Recipe
from jaxvae.runs.compute import choose_devices, choose_dispatch
from jaxvae.runs.parts import Parts, root_keys
from jaxvae.training import Dispatch, make_dispatch, make_train_step
from jaxvae.training.dispatch import GatherStep, StepMaker
from jaxvae.training.step import Metrics
from jaxvae.types import Array, Chunk, InputError, TrainState


class Engine(NamedTuple):
    """Arguments of `training.train`."""

    dispatch: Dispatch
    chunks: Callable[[int], Iterator[Chunk]]
    """Function from a step to all chunks from there to the end of the run."""
    example_ids: Callable[[int], np.ndarray]
    """Function from a step, counted from 1, to the indices `[S, B]` of its examples for each of S seeds."""


def build_engine(recipe: Recipe, parts: Parts, split: Split) -> Engine:
    """Build the engine of a settled recipe for a training split.

    Raises:
        InputError: the devices asked for do not exist, or do not support the options.
    """
    train, devices = recipe.train, choose_devices(recipe.compute)
    name = choose_dispatch(recipe.compute, devices)
    if train.seeds > 1 and name not in ("step", "scan"):
        raise InputError(f"seeds: {train.seeds} are trained at once on one device; give --devices 1")
    resident = is_resident(recipe.compute, split.image)
    order = BatchOrder(root_keys(train), split.num_examples, settled(train.batch_size), len(devices) * train.accumulate)
    dispatch = make_dispatch(
        name,
        step_maker(parts, train, binarize=recipe.data.binarize == "dynamic"),
        np.asarray(split.image) if resident else None,
        width=order.width,
        devices=devices,
        seeds=train.seeds if train.seeds > 1 else None,
    )

    def chunks(first_step: int) -> Iterator[Chunk]:
        boundaries = (order.steps_per_block, recipe.output.log_every, settled(recipe.output.checkpoint_every))
        per_step = order.width * train.seeds * split.image[:1].nbytes
        limit = dispatch.steps if resident else max(1, min(dispatch.steps, STREAMED_BYTES // per_step))
        counts = chunk_counts(first_step, train.steps, boundaries=boundaries, limit=limit)
        if resident:
            return resident_chunks(order, dispatch.place_chunk, first_step, counts, columns=dispatch.columns)
        return streamed_chunks(order, split.image, dispatch.place_chunk, first_step, counts, columns=dispatch.columns)

    def example_ids(step: int) -> np.ndarray:
        index, row = divmod(step - 1, order.steps_per_block)
        block = (np.asarray(array).reshape(train.seeds, -1, order.width) for array in order.block(index))
        ids, weights = (array[:, row] for array in block)
        return ids[weights > 0].reshape(train.seeds, -1)

    return Engine(dispatch, chunks, example_ids)


def step_maker(parts: Parts, train: Train, *, binarize: bool) -> StepMaker:
    """Return a maker of the training step, for one device or for a device axis."""

    def make_step(axis_name: str | None) -> GatherStep:
        train_step = make_train_step(
            parts.loss,
            parts.optimizer,
            axis_name=axis_name,
            accumulate=train.accumulate,
            schedules=parts.schedules,
            tolerant=train.on_nonfinite != "stop",
        )

        def gather_step(
            state: TrainState, images: Array | None, ids: Array, weights: Array, x: Array | None
        ) -> tuple[TrainState, Metrics]:
            if x is None:
                assert images is not None
                x = images[ids]
            key = rng.stream(state.key, "binarize", state.step)
            return train_step(state, make_batch(x, key, ids, weights, binarize=binarize))

        return gather_step

    return make_step


def is_resident(compute: Compute, images: Rows) -> bool:
    """Return True if a training set is to be kept on the device."""
    if compute.input == "auto":
        # A process knows the memory of its local devices alone.
        own = next(device for device in choose_devices(compute) if device.process_index == jax.process_index())
        return fits_on_device(images, own)
    return compute.input == "resident"
