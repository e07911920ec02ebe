"""Steps whose numbers are not finite: seen on the device, named on the host, and gone past where that is wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from jaxvae.types import Array, Params, TrainState

OnNonFinite = Literal["stop", "skip", "halve-lr"]


class Faults(NamedTuple):
    """How many steps met a number that is not finite, and the first of them."""

    num_steps: Array
    step: Array
    """Of the first, counted from 1."""
    terms: dict[str, Array]
    """Which of its numbers were not finite."""


def find_faults(step: Array, values: Mapping[str, Array]) -> Faults:
    """Look at one step's numbers.

    Args:
        step: from 1.
        values: a scalar for each term.
    """
    terms = {name: ~jnp.isfinite(value) for name, value in values.items()}
    return Faults(jnp.stack(list(terms.values())).any().astype(jnp.int32), step, terms)


def merge_faults(earlier: Faults, later: Faults) -> Faults:
    """Of steps one after another."""
    first = jax.tree.map(lambda a, b: jnp.where(earlier.num_steps > 0, a, b), earlier, later)
    return first._replace(num_steps=earlier.num_steps + later.num_steps)


def sum_of_all(tree: Params) -> Array:
    """The sum of all leaves' numbers: not finite where one of them is not."""

    def total(leaf: Array) -> Array:
        rows = leaf.reshape(-1, leaf.shape[-1] if leaf.ndim else 1)
        # A product, because a CPU adds up the numbers of a large array one by one.
        # In float32 at least, because a sum of finite half-precision numbers soon is not.
        wide = jnp.promote_types(leaf.dtype, jnp.float32)
        return jnp.matmul(jnp.ones(len(rows), leaf.dtype), rows, preferred_element_type=wide).sum()

    return jnp.stack([total(leaf) for leaf in jax.tree.leaves(tree)]).sum()


def biases(tree: Params) -> Params:
    """The leaves with one axis or none; all, where there are none such.

    What flows back through a layer is summed up in its bias's gradient: a few numbers tell of all.
    """
    return [leaf for leaf in jax.tree.leaves(tree) if leaf.ndim < 2] or tree


class NonFiniteError(ArithmeticError):
    """A training step met a number that is not finite.

    Args:
        step: from 1.
        terms: what was not finite.
        seed_number: which of several seeds, from 0; None where there is one.
    """

    def __init__(self, step: int, terms: Sequence[str], seed_number: int | None = None) -> None:
        super().__init__(f"step {step}: {', '.join(terms)} not finite")
        self.step, self.terms, self.seed_number = step, list(terms), seed_number


def check_finite(runs: Sequence[Faults]) -> None:
    """Raise a `NonFiniteError` for the first fault of several dispatches, one after another, of one or more seeds."""
    for run in jax.device_get(runs):
        if not np.any(run.num_steps):
            continue
        seed_number = None
        if np.ndim(run.num_steps):
            seed_number = int(np.argmin(np.where(run.num_steps > 0, run.step, np.inf)))
            run = jax.tree.map(lambda leaf, number=seed_number: leaf[number], run)
        # What is not finite in the loss is not in the gradient either: the cause comes first.
        found = sorted((name for name, bad in run.terms.items() if bad), key=lambda name: name == "gradient")
        # The loss is made of the terms: it is named where it alone overflows.
        raise NonFiniteError(int(run.step), [name for name in found if name != "loss"] or found, seed_number)


def check_state(state: TrainState) -> None:
    """Raise a `NonFiniteError` for a state that is not worth saving: a square in the optimizer may overflow unseen.

    Only a run that is to stop can come to this: `guarded` leaves such a step out in the other modes.
    """
    parts = {"parameters": state.params, "optimizer state": state.opt_state}
    found = [name for name, tree in parts.items() if not all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(tree))]
    if found:
        raise NonFiniteError(int(np.max(state.step)), found)


class GuardState(NamedTuple):
    """An optimizer's state, and how many of its updates were left out."""

    inner: optax.OptState
    num_skipped: Array


def guarded(optimizer: optax.GradientTransformation, mode: OnNonFinite) -> optax.GradientTransformationExtraArgs:
    """Leave out the updates of steps that are not finite.

    A step is not finite where `update(..., finite=)` says so, or where the optimizer's own state or the parameters
    would not be finite after it: the gradient's square may overflow where the gradient does not. The state has the
    same form in every mode, so that a run which stopped may go on in another.

    Args:
        optimizer: whose updates.
        mode: stop: apply all, for the run ends at such a step; skip: leave these out; halve-lr: and halve all
            later ones, each time again.
    """
    inner_optimizer = optax.with_extra_args_support(optimizer)

    def init(params: Params) -> GuardState:
        return GuardState(optimizer.init(params), jnp.zeros((), jnp.int32))

    def update(
        updates: Params, state: GuardState, params: Params | None = None, *, finite: Array | bool = True, **extra: Any
    ) -> tuple[Params, GuardState]:
        updates, inner = inner_optimizer.update(updates, state.inner, params, **extra)
        if mode == "stop":
            return updates, state._replace(inner=inner)
        if mode == "halve-lr":
            scale = jnp.exp2(-state.num_skipped.astype(jnp.float32))
            updates = jax.tree.map(lambda leaf: (scale * leaf).astype(leaf.dtype), updates)
        new_params = updates if params is None else optax.apply_updates(params, updates)
        finite = jnp.logical_and(finite, jnp.isfinite(sum_of_all(_floats((inner, new_params)))))
        # A choice and not a factor of 0, which would leave NaN what it is.
        updates = jax.tree.map(lambda leaf: jnp.where(finite, leaf, 0), updates)
        inner = jax.tree.map(lambda new, old: jnp.where(finite, new, old), inner, state.inner)
        return updates, GuardState(inner, state.num_skipped + jnp.where(finite, 0, 1))

    return optax.GradientTransformationExtraArgs(init, update)


def _floats(tree: Any) -> list[Array]:
    return [leaf for leaf in jax.tree.leaves(tree) if jnp.issubdtype(leaf.dtype, jnp.inexact)]


def num_skipped(opt_state: optax.OptState) -> Array:
    """How many updates a guarded optimizer has left out, or each of several stacked ones."""
    return optax.tree_utils.tree_get(opt_state, "num_skipped")
