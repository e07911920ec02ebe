"""Labels of parameters: the rule by which each of them moves.

    gradient    the optimizer of the run: clipping, schedule, weight decay, moving average
    average     SGD with rate 1 on `old - target`: a moving average, see `objectives.averages`
    scheduled   a schedule of the step, written before the loss
    frozen      it never moves
    any other   the `Partition` of this name, with an optimizer of its own

Labels are a tree of strings like the parameters, or a prefix of it: one string may stand for a whole subtree. A
function of the parameters, such as `VAE.labels`, may stand for the tree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import optax

from jaxvae.errors import InputError, did_you_mean
from jaxvae.types import AVERAGE, FROZEN, GRADIENT, SCHEDULED, Array, Params

STILL = {AVERAGE: optax.sgd(1.0), SCHEDULED: optax.set_to_zero(), FROZEN: optax.set_to_zero()}
"""Optimizers of the labels that no learning rate concerns."""


class Partition(NamedTuple):
    """Optimizer of the parameters with one label; while closed, they and its state stand still."""

    optimizer: optax.GradientTransformation
    every: int = 1
    """Number of steps from one opening to the next: 5 is open at the fifth step, the tenth, ..."""
    after: int = 0
    """Number of first steps at which it is closed."""
    until: int | None = None
    """Number of first steps after which it is open at each; never if not given. `with_phase` may end it sooner."""


Labels: TypeAlias = Any
"""Tree of labels like the parameters, a prefix of it, or a function from parameters to either."""


def labelled(
    optimizer: optax.GradientTransformation, labels: Labels, partitions: Mapping[str, Partition] | None = None
) -> optax.GradientTransformationExtraArgs:
    """Make an optimizer that moves each parameter by its label.

    The optimizer sees the leaves labelled `gradient` alone, so clipping by a global norm and weight decay concern no
    others. Where all leaves are, its state is that of the optimizer alone.

    Args:
        optimizer: optimizer of the leaves labelled `gradient`.
        labels: labels of the parameters.
        partitions: optimizers of all labels other than gradient, average, scheduled and frozen.

    Raises:
        InputError: a partition has the name of another label, or a wrong number; or, from `init`, a label has no
            optimizer.
    """
    partitions = dict(partitions or {})
    for name, partition in partitions.items():
        _check_partition(name, partition)
    known = {GRADIENT: optimizer, **STILL, **{name: gated(partition) for name, partition in partitions.items()}}

    def choose(tree: Params) -> optax.GradientTransformationExtraArgs:
        labels_ = labels_of(labels, tree)
        used = set(jax.tree.leaves(labels_))
        for label in sorted(used - set(known)):
            raise InputError(
                f"labels: no optimizer for {label!r}{did_you_mean(label, known)}; "
                f"give partitions={{{label!r}: Partition(optax.adam(1e-3))}}"
            )
        if used <= {GRADIENT}:
            return optax.with_extra_args_support(optimizer)
        return optax.partition({label: known[label] for label in sorted(used)}, labels_)

    def init(params: Params) -> optax.OptState:
        return choose(params).init(params)

    def update(
        updates: Params, state: optax.OptState, params: Params | None = None, **extra: Any
    ) -> tuple[Params, optax.OptState]:
        return choose(updates).update(updates, state, params, **extra)

    return optax.GradientTransformationExtraArgs(init, update)


def labels_of(labels: Labels, tree: Params) -> Params:
    """Return the label of every leaf of parameters, or of a tree like them."""
    return jax.tree.broadcast(labels(tree) if callable(labels) else labels, tree)


def only(labels: Labels, wanted: str, tree: Params) -> Params:
    """Replace the leaves with other labels than `wanted` by `optax.MaskedNode()`, which has no leaves."""

    def choose(label: str, leaf: Array) -> Array | optax.MaskedNode:
        return leaf if label == wanted else optax.MaskedNode()

    return jax.tree.map(choose, labels_of(labels, tree), tree)


def write_scheduled(params: Params, schedules: Any, step: Array) -> Params:
    """Write the values of schedules at a step into parameters.

    Args:
        params: parameters, nested dicts down to the leaves to write.
        schedules: schedules by name, nested like these leaves: `{"posterior": {"temperature": schedule}}`.
        step: number of steps taken.
    """
    if callable(schedules):
        return jnp.full_like(params, schedules(step))
    return {**params, **{name: write_scheduled(params[name], inner, step) for name, inner in schedules.items()}}


def scheduled_values(schedules: Any, step: Array, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Array]]:
    """Yield the values of nested schedules at a step, with names such as `posterior_temperature`."""
    if callable(schedules):
        yield "_".join(path), jnp.asarray(schedules(step), jnp.float32)
        return
    for name, inner in schedules.items():
        yield from scheduled_values(inner, step, (*path, name))


def gated(partition: Partition) -> optax.GradientTransformation:
    """Return the optimizer of a partition, which stands still while that is closed."""
    optimizer, every, after, until = partition
    if every == 1 and after == 0:
        return optimizer

    def is_open(count: Array, *, phase_ended: Array | bool = False, **extra: Any) -> Array:
        # The count is of updates before this one.
        at_its_turn = (count >= after) & ((count - after + 1) % every == 0) | phase_ended
        return at_its_turn if until is None else at_its_turn | (count >= until)

    return optax.conditionally_mask(optimizer, is_open, forward_extra_args=True)


def _check_partition(name: str, partition: Partition) -> None:
    if name == GRADIENT or name in STILL:
        raise InputError(f"partitions: {name!r} is a label with a rule of its own; give the partition another name")
    for field, least in {"every": 1, "after": 0}.items():
        value = getattr(partition, field)
        if value < least:
            raise InputError(f"{field}: must be {least} or more, got {value} for the partition {name!r}")
