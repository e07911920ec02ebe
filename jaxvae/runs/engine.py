"""Engine of a training: the step, its dispatch to the devices, and the chunks of examples, from a config."""

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
from jaxvae.data.rows import gather, num_bytes
from jaxvae.data.stream import fits_on_device
from jaxvae.model import VAE
from jaxvae.runs import pieces
from jaxvae.runs.compute import Compute, choose_devices, choose_dispatch
from jaxvae.runs.config import TrainConfig, settled
from jaxvae.training import Dispatch, make_dispatch, make_train_step
from jaxvae.training.dispatch import GatherStep, Rows, StepMaker
from jaxvae.training.step import Metrics
from jaxvae.types import Array, Chunk, InputError, Space, TrainState


class Engine(NamedTuple):
    """Arguments of `training.train`."""

    dispatch: Dispatch
    chunks: Callable[[int], Iterator[Chunk]]
    """Function from a step to all chunks from there to the end of the run."""
    example_ids: Callable[[int], np.ndarray]
    """Function from a step, counted from 1, to the indices `[S, B]` of its examples for each of S seeds."""


def build_engine(config: TrainConfig, model: VAE, split: Split) -> Engine:
    """Build the engine of a resolved config for a training split.

    Raises:
        InputError: the devices asked for do not exist, or do not support the options.
    """
    devices = choose_devices(config.compute)
    name = choose_dispatch(config.compute, devices)
    if config.seeds > 1 and name not in ("step", "scan"):
        raise InputError(f"seeds: {config.seeds} are trained at once on one device; give --devices 1")
    rows = split.rows()
    resident = is_resident(config.compute, rows)
    order = BatchOrder(
        pieces.root_keys(config), split.num_examples, settled(config.batch_size), len(devices) * config.accumulate
    )
    dispatch = make_dispatch(
        name,
        step_maker(config, model, split.space),
        jax.tree.map(np.asarray, rows) if resident else None,
        width=order.width,
        devices=devices,
        seeds=config.seeds if config.seeds > 1 else None,
    )

    def chunks(first_step: int) -> Iterator[Chunk]:
        boundaries = (order.steps_per_block, config.log_every, settled(config.checkpoint_every))
        per_step = order.width * config.seeds * (num_bytes(rows) // split.num_examples)
        limit = dispatch.steps if resident else max(1, min(dispatch.steps, STREAMED_BYTES // per_step))
        counts = chunk_counts(first_step, config.steps, boundaries=boundaries, limit=limit)
        if resident:
            return resident_chunks(order, dispatch.place_chunk, first_step, counts, columns=dispatch.columns)
        return streamed_chunks(order, rows, dispatch.place_chunk, first_step, counts, columns=dispatch.columns)

    def example_ids(step: int) -> np.ndarray:
        index, row = divmod(step - 1, order.steps_per_block)
        block = (np.asarray(array).reshape(config.seeds, -1, order.width) for array in order.block(index))
        ids, weights = (array[:, row] for array in block)
        return ids[weights > 0].reshape(config.seeds, -1)

    return Engine(dispatch, chunks, example_ids)


def step_maker(config: TrainConfig, model: VAE, space: Space | None = None) -> StepMaker:
    """Return a maker of the config's training step on examples of a space, for one device or for a device axis."""
    loss, optimizer = pieces.build_loss(config, model), pieces.build_optimizer(config)
    schedules = pieces.build_schedules(config)

    def make_step(axis_name: str | None) -> GatherStep:
        train_step = make_train_step(
            loss,
            optimizer,
            axis_name=axis_name,
            accumulate=config.accumulate,
            schedules=schedules,
            tolerant=config.on_nonfinite != "stop",
        )

        def gather_step(
            state: TrainState, resident: Rows, ids: Array, weights: Array, rows: Rows
        ) -> tuple[TrainState, Metrics]:
            gathered = gather(resident, ids) if rows is None else rows
            key = rng.stream(state.key, "binarize", state.step)
            batch = make_batch(gathered[EXAMPLES], key, ids, weights, gathered.get(CONDITION), space=space)
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
