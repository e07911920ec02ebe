"""Training step: a pure function of state and batch, the same on one device and on many."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import optax

from jaxvae import rng
from jaxvae.arguments import asked
from jaxvae.errors import InputError
from jaxvae.training.labels import scheduled_values, write_scheduled
from jaxvae.training.nonfinite import biases, find_faults, num_skipped, sum_of_all
from jaxvae.types import Array, Batch, Key, Params, TrainState

Loss: TypeAlias = Callable[..., tuple[Array, Any]]
"""Function `(params, keys, x, *, condition, weights) -> (loss, aux)`: weighted mean over examples, `[B, ...]` terms.

It may have further arguments of these names: `step`, the number of steps taken; `step_key`, one key for the step, the
same on all devices; `ids`, the examples' indices; and `axis_name`, the device axis or None, for a loss that gathers.
"""
Metrics: TypeAlias = dict[str, Any]
"""Averages over examples by name; `examples`, their number; and `faults`, see `training.nonfinite`."""
TrainStep: TypeAlias = Callable[[TrainState, Batch], tuple[TrainState, Metrics]]
Sums: TypeAlias = tuple[Params, Metrics, Array]
"""Gradient and metrics summed over examples, and the sum of their weights."""


def init_state(key: Key, params: Params, optimizer: optax.GradientTransformation) -> TrainState:
    """Return the state before the first step; `key` is the run's root key."""
    return TrainState(jnp.zeros((), jnp.int32), params, optimizer.init(params), key)


def make_train_step(
    loss: Loss,
    optimizer: optax.GradientTransformation,
    *,
    axis_name: str | None = None,
    accumulate: int = 1,
    schedules: Mapping[str, optax.Schedule] | None = None,
    leaf_schedules: Mapping[str, Any] | None = None,
    tolerant: bool = False,
) -> TrainStep:
    """Make `train_step(state, batch) -> (state, metrics)`.

    Gradients are averaged over the whole batch by its weights, so padding and uneven shards are exact. Metrics are the
    loss, every term of `aux` averaged over examples, each schedule's value, `examples`, the sum of the weights, and
    `faults`, the terms of all these and of the gradient that are not finite.

    Args:
        loss: see `Loss`; bind the model and all hyperparameters with `functools.partial`.
        optimizer: an optax transformation; with `tolerant` a `guarded` one, or a wrapper of it.
        axis_name: device axis to reduce over, under `pmap`, `shard_map` or `vmap`; None without one.
        accumulate: number of parts of the batch whose gradients are taken one after another, to save memory. The
            result is that of the whole batch, which must be divisible by it.
        schedules: arguments of the loss that change with the step, `{"beta": optax.linear_schedule(0, 1, 1000)}`.
        leaf_schedules: parameters that change with the step, nested as they are: `{"posterior": {"scale": schedule}}`;
            they are written before the loss, and labelled `scheduled` (see `training.labels`).
        tolerant: True if the optimizer leaves out steps that are not finite (see `guarded`). Such a step is no fault,
            and its metrics count for no example.

    Raises:
        InputError: `accumulate` is above 1 for a loss that joins the examples of a batch.
    """
    if accumulate > 1 and asked(loss, {"axis_name": axis_name}):
        raise InputError(
            f"accumulate: got {accumulate}, but this objective joins the examples of a batch, so that its gradient is "
            "no sum over parts; use 1"
        )
    leaf_schedules = leaf_schedules or {}
    optimizer = optax.with_extra_args_support(optimizer)

    def sums(state: TrainState, batch: Batch) -> Sums:
        keys = rng.example_keys(rng.stream(state.key, "noise", state.step), batch.ids)
        known = {"step": state.step, "step_key": rng.stream(state.key, "step", state.step), "axis_name": axis_name}
        arguments = asked(loss, {**known, "ids": batch.ids})
        scheduled = {name: schedule(state.step) for name, schedule in (schedules or {}).items()}
        params, batch = (state.params, batch) if axis_name is None else _varying(state.params, batch, axis_name)
        examples = batch.weights.sum()

        def summed_loss(params: Params) -> tuple[Array, Any]:
            value, aux = loss(
                params, keys, batch.x, condition=batch.condition, weights=batch.weights, **scheduled, **arguments
            )
            return examples * value, aux

        (value, aux), gradient = jax.value_and_grad(summed_loss, has_aux=True)(params)
        terms = {name: jnp.tensordot(batch.weights, term, 1) for name, term in aux._asdict().items()}
        values = {**scheduled, **dict(scheduled_values(leaf_schedules, state.step))}
        return gradient, {"loss": value, **terms, **{name: examples * at for name, at in values.items()}}, examples

    def train_step(state: TrainState, batch: Batch) -> tuple[TrainState, Metrics]:
        if leaf_schedules:
            state = state._replace(params=write_scheduled(state.params, leaf_schedules, state.step))
        total = sums(state, batch) if accumulate == 1 else _sum_of_parts(sums, state, batch, accumulate)
        if axis_name is not None:
            # Sums reduced after the gradient: inside the loss, or with means, the result would depend on the devices.
            total = jax.lax.psum(total, axis_name)
        *sums_, examples = total
        # A product, because a division of every number in the gradient takes longer.
        gradient, metrics = jax.tree.map(lambda summed: summed * (1 / examples), sums_)
        scalars = {name: value for name, value in metrics.items() if not value.ndim}
        # A stop needs a check of the biases alone, which is cheap; skipping an update needs a check of all its numbers.
        seen = sum_of_all(gradient if tolerant else biases(gradient))
        faults = find_faults(state.step + 1, {**scalars, "gradient": seen})
        with jax.numpy_dtype_promotion("standard"):  # for Adam's power of the step number
            updates, opt_state = optimizer.update(gradient, state.opt_state, state.params, finite=faults.num_steps == 0)
        params = optax.apply_updates(state.params, updates)
        metrics = {**metrics, "examples": examples}
        if tolerant:
            # The optimizer may leave out more steps than those with faults found here, see `guarded`.
            taken = num_skipped(opt_state) == num_skipped(state.opt_state)
            metrics = jax.tree.map(lambda value: jnp.where(taken, value, 0), metrics)
            faults = jax.tree.map(jnp.zeros_like, faults)
        return TrainState(state.step + 1, params, opt_state, state.key), {**metrics, "faults": faults}

    return train_step


def _varying(params: Params, batch: Batch, axis_name: str) -> tuple[Params, Batch]:
    """Mark parameters and batch as varying over the device axis where one of the batch's arrays does.

    `shard_map` tracks arrays that vary, and itself sums the gradient of the others over the devices: the sum after it
    would count every device once more. Elsewhere nothing is tracked, and this does nothing.
    """

    def varies(leaf: Array) -> bool:
        return axis_name in jax.typeof(leaf).manual_axis_type.varying

    def mark(leaf: Array) -> Array:
        return leaf if varies(leaf) else jax.lax.pcast(leaf, axis_name, to="varying")

    if not any(map(varies, jax.tree.leaves(batch))):
        return params, batch
    return jax.tree.map(mark, (params, batch))


def _sum_of_parts(sums: Callable[[TrainState, Batch], Sums], state: TrainState, batch: Batch, parts: int) -> Sums:
    # Part k takes every parts-th example from k on, so that a sharded batch is not moved between devices.
    split = jax.tree.map(lambda array: array.reshape(-1, parts, *array.shape[1:]).swapaxes(0, 1), batch)

    def add(total: Sums, part: Batch) -> tuple[Sums, None]:
        return jax.tree.map(jnp.add, total, sums(state, part)), None

    first, rest = jax.tree.map(lambda array: array[0], split), jax.tree.map(lambda array: array[1:], split)
    return jax.lax.scan(add, sums(state, first), rest)[0]
