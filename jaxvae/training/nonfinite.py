"""Steps with NaN or infinity: detected on the device, reported on the host, and skipped where wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from jaxvae.training.labels import STILL, Labels, labels_of
from jaxvae.types import GRADIENT, Array, Params, TrainState

OnNonFinite = Literal["stop", "skip", "halve-lr"]


class Faults(NamedTuple):
    """Number of steps with a number that is not finite, and the first of them."""

    num_steps: Array
    step: Array
    """First such step, counted from 1."""
    terms: dict[str, Array]
    """Booleans by term, True where its number was not finite."""


def find_faults(step: Array, values: Mapping[str, Array]) -> Faults:
    """Find the terms of one step that are not finite.

    Args:
        step: from 1.
        values: a scalar for each term.
    """
    terms = {name: ~jnp.isfinite(value) for name, value in values.items()}
    return Faults(jnp.stack(list(terms.values())).any().astype(jnp.int32), step, terms)


def merge_faults(earlier: Faults, later: Faults) -> Faults:
    """Merge the faults of consecutive steps."""
    first = jax.tree.map(lambda a, b: jnp.where(earlier.num_steps > 0, a, b), earlier, later)
    return first._replace(num_steps=earlier.num_steps + later.num_steps)


def sum_of_all(tree: Params) -> Array:
    """Sum all leaves' numbers: not finite where one of them is not."""

    def total(leaf: Array) -> Array:
        rows = leaf.reshape(-1, leaf.shape[-1] if leaf.ndim else 1)
        # A product, because a CPU sums a large array one number at a time.
        # In float32 at least, because a sum of finite half-precision numbers soon overflows.
        wide = jnp.promote_types(leaf.dtype, jnp.float32)
        return jnp.matmul(jnp.ones(len(rows), leaf.dtype), rows, preferred_element_type=wide).sum()

    return jnp.stack([total(leaf) for leaf in jax.tree.leaves(tree)]).sum()


def biases(tree: Params) -> Params:
    """Return the leaves with at most one axis; all leaves, if there are none.

    A bias's gradient sums the gradient through its layer: a few numbers show all faults.
    """
    return [leaf for leaf in jax.tree.leaves(tree) if leaf.ndim < 2] or tree


class NonFiniteError(ArithmeticError):
    """Error of a training step with a number that is not finite.

    Args:
        step: from 1.
        terms: names of the terms that were not finite.
        seed_number: index of the seed among several, from 0; None with one.
    """

    def __init__(self, step: int, terms: Sequence[str], seed_number: int | None = None) -> None:
        super().__init__(f"step {step}: {', '.join(terms)} not finite")
        self.step, self.terms, self.seed_number = step, list(terms), seed_number


def check_finite(runs: Sequence[Faults]) -> None:
    """Raise a `NonFiniteError` for the first fault of consecutive dispatches, of one or more seeds."""
    for run in jax.device_get(runs):
        if not np.any(run.num_steps):
            continue
        seed_number = None
        if np.ndim(run.num_steps):
            seed_number = int(np.argmin(np.where(run.num_steps > 0, run.step, np.inf)))
            run = jax.tree.map(lambda leaf, number=seed_number: leaf[number], run)
        # A loss that is not finite makes the gradient so too: report the cause.
        found = sorted((name for name, bad in run.terms.items() if bad), key=lambda name: name == "gradient")
        # The loss is a sum of the terms: report it where it alone overflows.
        raise NonFiniteError(int(run.step), [name for name in found if name != "loss"] or found, seed_number)


def check_state(state: TrainState) -> None:
    """Raise a `NonFiniteError` for a state with numbers that are not finite: the optimizer's squares may overflow.

    This can occur in mode stop alone: `guarded` leaves such a step out in the other modes.
    """
    parts = {"parameters": state.params, "optimizer state": state.opt_state}
    found = [name for name, tree in parts.items() if not all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(tree))]
    if found:
        raise NonFiniteError(int(np.max(state.step)), found)


class GuardState(NamedTuple):
    """State of an optimizer, and the number of its updates that were left out."""

    inner: optax.OptState
    num_skipped: Array


def guarded(
    optimizer: optax.GradientTransformation, mode: OnNonFinite, labels: Labels = GRADIENT
) -> optax.GradientTransformationExtraArgs:
    """Leave out the updates of steps that are not finite.

    A step is not finite where `update(..., finite=)` says so, or where the optimizer's own state or the parameters
    would not be finite after it: the gradient's square may overflow where the gradient does not. The state has the
    same form in every mode, so that a run which stopped may go on in another.

    Args:
        optimizer: optimizer to wrap.
        mode: stop applies all, because the run ends at such a step; skip leaves these out; halve-lr also halves all
            later updates, each time.
        labels: labels of the parameters, see `training.labels`; only updates by a learning rate are halved.
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
            updates = jax.tree.map(
                lambda label, leaf: leaf if label in STILL else (scale * leaf).astype(leaf.dtype),
                labels_of(labels, updates),
                updates,
            )
        new_params = updates if params is None else optax.apply_updates(params, updates)
        finite = jnp.logical_and(finite, jnp.isfinite(sum_of_all(_floats((inner, new_params)))))
        # A selection and not a factor of 0, because 0 times NaN is NaN.
        updates = jax.tree.map(lambda leaf: jnp.where(finite, leaf, 0), updates)
        inner = jax.tree.map(lambda new, old: jnp.where(finite, new, old), inner, state.inner)
        return updates, GuardState(inner, state.num_skipped + jnp.where(finite, 0, 1))

    return optax.GradientTransformationExtraArgs(init, update)


def _floats(tree: Any) -> list[Array]:
    return [leaf for leaf in jax.tree.leaves(tree) if jnp.issubdtype(leaf.dtype, jnp.inexact)]


def num_skipped(opt_state: optax.OptState) -> Array:
    """Return the number of updates that a guarded optimizer, or each of several stacked ones, has left out."""
    return optax.tree_utils.tree_get(opt_state, "num_skipped")
