"""Optimizer: a schedule, clipping, Adam, and a moving average of the parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import optax

from jaxvae.errors import InputError
from jaxvae.training.labels import Labels, Partition, gated, only
from jaxvae.types import GRADIENT, Array, Params, TrainState

DecayName = Literal["none", "cosine", "linear"]


def learning_rate_schedule(
    peak: float, *, steps: int, warmup_steps: int = 0, decay: DecayName = "none"
) -> optax.Schedule:
    """Make a schedule that rises linearly from 0 to `peak`, then is constant, or falls to 0 at the last step.

    Args:
        peak: maximum of the schedule.
        steps: number of steps of the run.
        warmup_steps: number of steps until the peak; less than `steps`.
        decay: none, a half cosine, or a line.

    Returns:
        A function of the step.
    """
    after = steps - warmup_steps
    fall = {
        "none": optax.constant_schedule(peak),
        "cosine": optax.cosine_decay_schedule(peak, after),
        "linear": optax.linear_schedule(peak, 0.0, after),
    }[decay]
    if not warmup_steps:
        return fall
    return optax.join_schedules([optax.linear_schedule(0.0, peak, warmup_steps), fall], [warmup_steps])


def adam(learning_rate: optax.ScalarOrSchedule, weight_decay: float = 0.0) -> optax.GradientTransformation:
    """Make Adam; weight decay applies to kernels, and to no bias, because the output's bias holds the data's mean.

    Kernels are the leaves named `kernel`, `..._kernel`, `weight` or `w`, as in Flax, Equinox and Haiku; leaves without
    a name, as in a list, are kernels if they have two axes or more.

    Reference: Kingma & Ba 2015, https://arxiv.org/abs/1412.6980, algorithm 1; Loshchilov & Hutter 2019,
    https://arxiv.org/abs/1711.05101, algorithm 2, with the decay a share of the learning rate.
    """
    if not weight_decay:
        return optax.adam(learning_rate)
    return optax.adamw(learning_rate, weight_decay=weight_decay, mask=_kernels)


def _kernels(params: Params) -> Params:
    """Return a tree of booleans, True for kernels."""
    return jax.tree_util.tree_map_with_path(lambda path, leaf: _is_kernel(path, leaf), params)


def _is_kernel(path: tuple[Any, ...], leaf: Array) -> bool:
    last = path[-1] if path else None
    name = getattr(last, "key", getattr(last, "name", None))
    if not isinstance(name, str):
        return jnp.ndim(leaf) >= 2
    return name in ("kernel", "weight", "w") or name.endswith("_kernel")


INFERENCE = frozenset({"encoder", "posterior"})
"""Parts of a model that make q(z|x)."""


class PhaseState(NamedTuple):
    """State of an optimizer, and a flag that ends its first phase."""

    inner: optax.OptState
    phase_ended: Array
    """True from the step on at which closed partitions open; only `end_phase` sets it."""


def with_phase(optimizer: optax.GradientTransformation) -> optax.GradientTransformationExtraArgs:
    """Let an optimizer with a `gated` partition end the waiting when its state says so, see `end_phase`."""
    inner_optimizer = optax.with_extra_args_support(optimizer)

    def init(params: Params) -> PhaseState:
        return PhaseState(optimizer.init(params), jnp.zeros((), bool))

    def update(
        updates: Params, state: PhaseState, params: Params | None = None, **extra: Any
    ) -> tuple[Params, PhaseState]:
        ended = state.phase_ended
        updates, inner = inner_optimizer.update(updates, state.inner, params, **extra, phase_ended=ended)
        return updates, PhaseState(inner, ended)

    return optax.GradientTransformationExtraArgs(init, update)


def phase_ended(opt_state: optax.OptState) -> Array:
    """Return the flag of an optimizer `with_phase`, or `[S]` of several stacked ones."""
    return optax.tree_utils.tree_get(opt_state, "phase_ended")


def end_phase(opt_state: optax.OptState, ended: Array) -> optax.OptState:
    """Return the state with another flag, an array like that of `phase_ended`."""
    return optax.tree_utils.tree_set(opt_state, phase_ended=ended)


def inference_first(
    optimizer: optax.GradientTransformation, every: int, until: int | None = None
) -> optax.GradientTransformation:
    """Let encoder and posterior take every step and, in the first steps, all other parts one of several.

    Args:
        optimizer: optimizer of both, each with a state of its own.
        every: number of steps of the encoder for one of the decoder.
        until: number of steps after which all parts move together; never if not given.

    Raises:
        InputError: from `init`, if parameters have no part named encoder.

    Reference: He et al. 2019, https://arxiv.org/abs/1901.05534, algorithm 1. There the encoder moves until its bound
    rises no more, here for a number of steps. Made `with_phase`, it ends where the mutual information stalls, as there.
    """

    def part_of(tree: Params) -> Params:
        if not isinstance(tree, Mapping) or "encoder" not in tree:
            raise InputError("inference_steps: needs parameters with a part named encoder; leave it at 1")
        return {name: "inference" if name in INFERENCE else "generation" for name in tree}

    generation = gated(Partition(optimizer, every, until=until))
    return optax.partition({"inference": optimizer, "generation": generation}, part_of)


class AverageState(NamedTuple):
    """State of an optimizer, and the moving average of the parameters."""

    inner: optax.OptState
    average: Params
    num_updates: Array


def with_average(
    optimizer: optax.GradientTransformation, decay: float, labels: Labels = GRADIENT
) -> optax.GradientTransformationExtraArgs:
    r"""Keep an exponential moving average of the parameters, with unchanged updates.

        average <- d_t average + (1 - d_t) params,    d_t = min(decay, (1 + t) / (10 + t))

    The decay begins small, so that the weight of the random initial parameters vanishes soon. Only leaves labelled
    `gradient` are averaged (see `training.labels`).
    """

    def init(params: Params) -> AverageState:
        # A copy, because a donated buffer may occur only once in a state.
        average = jax.tree.map(jnp.copy, only(labels, GRADIENT, params))
        return AverageState(optimizer.init(params), average, jnp.zeros((), jnp.int32))

    inner_optimizer = optax.with_extra_args_support(optimizer)

    def update(
        updates: Params, state: AverageState, params: Params | None = None, **extra: Any
    ) -> tuple[Params, AverageState]:
        updates, inner = inner_optimizer.update(updates, state.inner, params, **extra)
        t = state.num_updates + 1
        keep = jnp.minimum(decay, (1 + t) / (10 + t))
        new = only(labels, GRADIENT, optax.apply_updates(params, updates))
        average = jax.tree.map(lambda old, now: keep * old + (1 - keep) * now, state.average, new)
        return updates, AverageState(inner, average, t)

    return optax.GradientTransformationExtraArgs(init, update)


def evaluation_params(state: TrainState) -> Params:
    """Return the averaged parameters; the last ones where no average is kept."""
    if not isinstance(state.opt_state, AverageState):
        return state.params

    def masked(node: Any) -> bool:
        return isinstance(node, optax.MaskedNode)

    return jax.tree.map(
        lambda average, last: last if masked(average) else average,
        state.opt_state.average,
        state.params,
        is_leaf=masked,
    )
