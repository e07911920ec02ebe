"""Engine of a training: the step, its dispatch to the devices, and the chunks of examples, from its options."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxvae import rng
from jaxvae.data import Split
from jaxvae.data.batches import BatchOrder, make_batch
from jaxvae.data.dataset import CONDITION, EXAMPLES
from jaxvae.data.feed import STREAMED_BYTES, chunk_counts, resident_chunks, streamed_chunks
from jaxvae.data.lengths import LengthOrder
from jaxvae.data.mixed_batches import MixedOrder, Order
from jaxvae.data.rows import gather, num_bytes
from jaxvae.data.stream import fits_on_device
from jaxvae.errors import InputError
from jaxvae.options.groups import Compute, Train, settled
from jaxvae.options.recipe import Recipe
from jaxvae.runs.compute import choose_devices, choose_dispatch
from jaxvae.runs.lengths import Buckets, build_buckets
from jaxvae.runs.parts import Parts, root_keys
from jaxvae.training import Dispatch, make_dispatch, make_train_step
from jaxvae.training.dispatch import GatherStep, Rows, StepMaker
from jaxvae.training.lengths import by_length
from jaxvae.training.step import Loss, Metrics, TrainStep
from jaxvae.types import Array, Chunk, TrainState


class Engine(NamedTuple):
    """Arguments of `training.train`."""

    dispatch: Dispatch
    chunks: Callable[[int], Iterator[Chunk]]
    """Function from a step to all chunks from there to the end of the run."""
    example_ids: Callable[[int], np.ndarray]
    """Function from a step, counted from 1, to the indices `[S, B]` of its examples for each of S seeds."""


def build_engine(recipe: Recipe, parts: Parts, split: Split, make: Callable[..., Dispatch] = make_dispatch) -> Engine:
    """Build the engine of a settled recipe for a training split; `make` makes its dispatch, as `make_dispatch` does.

    Raises:
        InputError: the devices asked for do not exist, or do not support the options.
    """
    train, devices = recipe.train, choose_devices(recipe.compute)
    name = choose_dispatch(recipe.compute, devices)
    if train.seeds > 1 and name not in ("step", "scan"):
        raise InputError(f"seeds: {train.seeds} are trained at once on one device; give --devices 1")
    rows = split.rows()
    resident = is_resident(recipe.compute, rows)
    buckets = build_buckets(recipe, parts, split)
    order = build_order(train, split, len(devices) * train.accumulate, buckets)
    dispatch = make(
        name,
        step_maker(parts, train, split, buckets),
        jax.tree.map(np.asarray, rows) if resident else None,
        width=order.width,
        devices=devices,
        seeds=train.seeds if train.seeds > 1 else None,
    )

    def chunks(first_step: int) -> Iterator[Chunk]:
        boundaries = (order.steps_per_block, recipe.output.log_every, settled(recipe.output.checkpoint_every))
        per_step = order.width * train.seeds * (num_bytes(rows) // split.num_examples)
        limit = dispatch.steps if resident else max(1, min(dispatch.steps, STREAMED_BYTES // per_step))
        counts = chunk_counts(first_step, train.steps, boundaries=boundaries, limit=limit)
        if resident:
            return resident_chunks(order, dispatch.place_chunk, first_step, counts, columns=dispatch.columns)
        return streamed_chunks(order, rows, dispatch.place_chunk, first_step, counts, columns=dispatch.columns)

    def example_ids(step: int) -> np.ndarray:
        index, row = divmod(step - 1, order.steps_per_block)
        block = (np.asarray(array).reshape(train.seeds, -1, order.width) for array in order.block(index))
        ids, weights = (array[:, row] for array in block)
        return ids[weights > 0].reshape(train.seeds, -1)

    return Engine(dispatch, chunks, example_ids)


def build_order(train: Train, split: Split, multiple_of: int, buckets: Buckets | None = None) -> Order:
    """Return the order of the examples, by length in each batch, or of labelled and unlabelled ones side by side.

    Raises:
        InputError: there are no labelled or no unlabelled examples, or a batch has no place for both.
    """
    batch_size, labelled = settled(train.batch_size), train.labelled_per_batch
    if buckets is not None:
        if labelled is not None:
            raise InputError("length-buckets: does not go with --labelled-per-batch; leave one of them out")
        return LengthOrder(root_keys(train), buckets.of_row, batch_size, multiple_of)
    if labelled is None:
        return BatchOrder(root_keys(train), split.num_examples, batch_size, multiple_of)
    known = np.flatnonzero(split.label >= 0) if split.label is not None else np.array([], int)
    unknown = np.setdiff1d(np.arange(split.num_examples), known)
    if not len(known) or not len(unknown):
        raise InputError(
            f"labelled-per-batch: {len(known)} training examples have labels and {len(unknown)} have none; it is for "
            "sets with some of each, such as with --labelled 100"
        )
    if labelled >= batch_size:
        raise InputError(f"labelled-per-batch: must be less than the batch size {batch_size}, got {labelled}")
    return MixedOrder(root_keys(train), known, unknown, batch_size, labelled, multiple_of)


def step_maker(parts: Parts, train: Train, split: Split, buckets: Buckets | None = None) -> StepMaker:
    """Return a maker of the training step on examples of a split, for one device or for a device axis."""

    def make_step(axis_name: str | None) -> GatherStep:
        def step_of(loss: Loss) -> TrainStep:
            return make_train_step(
                loss,
                parts.optimizer,
                axis_name=axis_name,
                accumulate=train.accumulate,
                schedules=parts.schedules,
                leaf_schedules=parts.model.schedules(),
                tolerant=train.on_nonfinite != "stop",
            )

        if buckets is None:
            train_step = step_of(parts.loss)
        else:
            steps = [step_of(loss) for loss in buckets.losses]
            train_step = by_length(steps, buckets.bounds, buckets.padding, axis_name=axis_name)

        def gather_step(
            state: TrainState, resident: Rows, ids: Array, weights: Array, rows: Rows
        ) -> tuple[TrainState, Metrics]:
            gathered = gather(resident, ids) if rows is None else rows
            key = rng.stream(state.key, "binarize", state.step)
            spaces = {"space": split.space, "condition_space": split.condition_space}
            batch = make_batch(gathered[EXAMPLES], key, ids, weights, gathered.get(CONDITION), **spaces)
            return train_step(state, batch)

        return gather_step

    return make_step


def is_resident(compute: Compute, rows: Any) -> bool:
    """Return True if the rows of a training set are to be kept on the device."""
    if compute.input == "auto":
        # A process knows the memory of its local devices alone.
        own = next(device for device in choose_devices(compute) if device.process_index == jax.process_index())
        return fits_on_device(rows, own)
    return compute.input == "resident"
