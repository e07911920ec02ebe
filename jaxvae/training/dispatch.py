"""Dispatch of training steps to the devices: one at a time, many in one loop, under pmap, or over a sharded mesh.

All of them compute the same step with the same numbers: noise is keyed by example, and sums over devices are taken
after the gradient. On several hosts every process calls the same functions and feeds its part of each batch.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from jaxvae import hosts
from jaxvae.training.nonfinite import merge_faults
from jaxvae.training.step import Metrics
from jaxvae.types import Array, Chunk, TrainState

DispatchName = Literal["step", "scan", "pmap", "sharded"]
Rows: TypeAlias = Any
"""Array of stored examples or a tree of such arrays, with labels for example; None where there are none."""
GatherStep: TypeAlias = Callable[[TrainState, Rows, Array, Array, Rows], tuple[TrainState, Metrics]]
"""Function `(state, resident, ids, weights, rows) -> (state, metrics)`: one step on the rows of a batch or, where they
are None, on those of the resident set with these ids."""
StepMaker: TypeAlias = Callable[[str | None], GatherStep]
"""Function that makes the step for an `axis_name` to reduce over, or None."""
Run: TypeAlias = Callable[[TrainState, Chunk], tuple[TrainState, Metrics]]
AXIS = "batch"


class Dispatch(NamedTuple):
    """Functions of one way to dispatch steps."""

    run: Run
    """Function that takes a chunk's steps; metrics are averaged over its examples, and the given state is donated."""
    compile: Callable[[TrainState, Chunk], object]
    """Function that compiles `run` for chunks of this form, without a run."""
    place_state: Callable[[TrainState], TrainState]
    place_chunk: Callable[[Chunk], Chunk]
    """Function that puts arrays `[M, W]` on the devices; with several processes, the columns that this one feeds."""
    steps: int
    """Maximum number of steps in one run."""
    columns: slice = slice(None)
    """Part of a batch that this process feeds."""
    clock: Callable[[], float] = time.perf_counter
    """Clock in seconds by which steps are timed."""


def make_dispatch(
    name: DispatchName,
    make_step: StepMaker,
    resident: Rows,
    *,
    width: int,
    devices: Sequence[jax.Device],
    seeds: int | None = None,
    steps: int = 50,
) -> Dispatch:
    """Make the functions and place the resident rows, without compilation.

    Args:
        name: step, one jitted step at a time; scan, up to `steps` in one loop; pmap and sharded, the same loop on
            every device, each with its part of the batch.
        make_step: see `StepMaker`.
        resident: `[N, ...]` rows of the whole set, placed on every device; None where chunks contain theirs.
        width: width of a batch, a multiple of the number of devices.
        devices: devices of all processes; step and scan use the first alone.
        seeds: number of states trained together, stacked along a first axis; not under pmap and sharded.
        steps: maximum number of steps in one run.
    """
    if name == "pmap":
        return _pmapped(make_step(AXIS), resident, width, devices, steps)
    if name == "sharded":
        return _sharded(make_step(None), resident, width, devices, steps)
    run = many_steps(make_step(None)) if name == "scan" else single_step(make_step(None))
    if seeds is not None:
        run = jax.vmap(run, in_axes=(0, None, _chunk_axes(0)))
    jitted = jax.jit(run, donate_argnums=0)
    place = functools.partial(jax.device_put, device=devices[0])
    placed = place(resident)
    limit = steps if name == "scan" else 1
    return Dispatch(*_with_rows(jitted, placed), place, _on_arrays(place), limit)


def _with_rows(jitted: Any, resident: Rows) -> tuple[Run, Callable[[TrainState, Chunk], object]]:
    """Return `run` and `compile` of a function of state, resident rows and chunk; calls reuse the compiled program."""

    def run(state: TrainState, chunk: Chunk) -> tuple[TrainState, Metrics]:
        return jitted(state, resident, chunk)

    return run, lambda state, chunk: jitted.lower(state, resident, chunk).compile()


def single_step(step: GatherStep) -> Callable[[TrainState, Rows, Chunk], tuple[TrainState, Metrics]]:
    """Make a function that takes the one step of a chunk."""
    return lambda state, resident, chunk: step(state, resident, *row_of(chunk, chunk.first_row))


def many_steps(step: GatherStep) -> Callable[[TrainState, Rows, Chunk], tuple[TrainState, Metrics]]:
    """Make a function that takes all steps of a chunk in one loop on the device.

    The number of steps is an argument of the compiled program, so chunks of any length share it.
    """
    # Traced once, for the shapes of its metrics and for the loop's body.
    step = jax.jit(step, inline=True)

    def run(state: TrainState, resident: Rows, chunk: Chunk) -> tuple[TrainState, Metrics]:
        def body(k: Array, carry: tuple[TrainState, Metrics]) -> tuple[TrainState, Metrics]:
            state, so_far = carry
            state, metrics = step(state, resident, *row_of(chunk, chunk.first_row + k))
            return state, _merged(so_far, metrics)

        _, like = jax.eval_shape(step, state, resident, *row_of(chunk, 0))
        zeros = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), like)
        return jax.lax.fori_loop(0, chunk.num_steps, body, (state, zeros))

    return run


def _merged(so_far: Metrics, metrics: Metrics) -> Metrics:
    """Average metrics over the examples of both."""
    examples = so_far["examples"] + metrics["examples"]
    share = metrics["examples"] / jnp.where(examples == 0, 1.0, examples)
    faults = merge_faults(so_far["faults"], metrics["faults"])
    means = jax.tree.map(
        lambda mean, value: mean + share * (value - mean),
        {**so_far, "faults": None},
        {**metrics, "faults": None},
    )
    return {**means, "examples": examples, "faults": faults}


def row_of(chunk: Chunk, row: Array | int) -> tuple[Array, Array, Rows]:
    """Return ids, weights and rows of the batch in this row of a chunk."""
    arrays = (chunk.ids, chunk.weights, chunk.rows)
    return jax.tree.map(lambda array: jax.lax.dynamic_index_in_dim(array, row, keepdims=False), arrays)


def _chunk_axes(axis: int) -> Chunk:
    return Chunk(axis, axis, axis, None, None)  # type: ignore[arg-type]


def _pmapped(step: GatherStep, resident: Rows, width: int, devices: Sequence[jax.Device], steps: int) -> Dispatch:
    mapped = jax.pmap(
        many_steps(step), AXIS, in_axes=(None, None, _chunk_axes(0)), out_axes=(None, None), devices=devices
    )
    # Under pmap every process passes arrays of its own devices alone.
    mesh = _mesh([device for device in devices if device.process_index == jax.process_index()])
    place = functools.partial(jax.device_put, device=NamedSharding(mesh, PartitionSpec()))
    placed = place(resident)

    def place_array(array: Array) -> Array:
        per_device = array.reshape(array.shape[0], mesh.size, -1, *array.shape[2:]).swapaxes(0, 1)
        return jax.device_put(per_device, NamedSharding(mesh, PartitionSpec(AXIS)))

    run, compile_ = _with_rows(mapped, placed)
    return Dispatch(
        _one_at_a_time(run, devices), compile_, place, _on_arrays(place_array), steps, process_columns(width)
    )


def _sharded(step: GatherStep, resident: Rows, width: int, devices: Sequence[jax.Device], steps: int) -> Dispatch:
    mesh = _mesh(devices)
    everywhere, split = NamedSharding(mesh, PartitionSpec()), NamedSharding(mesh, PartitionSpec(None, AXIS))
    jitted = jax.jit(many_steps(step), donate_argnums=0, out_shardings=everywhere)
    place = functools.partial(hosts.place, sharding=everywhere)
    placed = place(resident)
    run, compile_ = _with_rows(jitted, placed)
    place_array = functools.partial(hosts.place, sharding=split)
    return Dispatch(
        _one_at_a_time(run, devices), compile_, place, _on_arrays(place_array), steps, process_columns(width)
    )


def process_columns(width: int) -> slice:
    """Return the part of a batch of this width that this process feeds."""
    share = width // jax.process_count()
    return slice(jax.process_index() * share, (jax.process_index() + 1) * share)


def _mesh(devices: Sequence[jax.Device]) -> Mesh:
    return Mesh(np.array(devices), (AXIS,), axis_types=(AxisType.Auto,))


def _on_arrays(function: Callable[[Array], Array]) -> Callable[[Chunk], Chunk]:
    def place_chunk(chunk: Chunk) -> Chunk:
        ids, weights, rows = jax.tree.map(function, (chunk.ids, chunk.weights, chunk.rows))
        return chunk._replace(ids=ids, weights=weights, rows=rows)

    return place_chunk


def _one_at_a_time(run: Run, devices: Sequence[jax.Device]) -> Run:
    """Wait for each run where CPU devices work together: several concurrent runs would deadlock."""
    if devices[0].platform != "cpu":
        return run
    return lambda state, chunk: hosts.wait_for_steps(lambda: jax.block_until_ready(run(state, chunk)))
