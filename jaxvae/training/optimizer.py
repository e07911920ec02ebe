"""What turns gradients into updates: a schedule, clipping, Adam, and an average of the parameters over the steps."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import optax

from jaxvae.types import Array, Params, TrainState

DecayName = Literal["none", "cosine", "linear"]


def learning_rate_schedule(
    peak: float, *, steps: int, warmup_steps: int = 0, decay: DecayName = "none"
) -> optax.Schedule:
    """Rise linearly from 0 to `peak`, then stay there, or fall to 0 at the last step.

    Args:
        peak: the highest value.
        steps: length of the run.
        warmup_steps: steps until the peak is reached; fewer than `steps`.
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
    """Adam; with weight decay it draws kernels towards 0, and no bias: the output's holds the mean of the data.

    Reference: Kingma & Ba 2015, https://arxiv.org/abs/1412.6980, algorithm 1; Loshchilov & Hutter 2019,
    https://arxiv.org/abs/1711.05101, algorithm 2, with the decay a share of the learning rate.
    """

    def kernels(params: Params) -> Params:
        return jax.tree_util.tree_map_with_path(lambda path, _: path[-1].key == "kernel", params)

    if not weight_decay:
        return optax.adam(learning_rate)
    return optax.adamw(learning_rate, weight_decay=weight_decay, mask=kernels)


class AverageState(NamedTuple):
    """An optimizer's state, and the average of the parameters beside it."""

    inner: optax.OptState
    average: Params
    num_updates: Array


def with_average(optimizer: optax.GradientTransformation, decay: float) -> optax.GradientTransformationExtraArgs:
    r"""Keep an exponential moving average of the parameters; the updates stay what they are.

        average <- d_t average + (1 - d_t) params,    d_t = min(decay, (1 + t) / (10 + t))

    The decay begins small so that the first parameters, which are noise, are soon forgotten.
    """

    def init(params: Params) -> AverageState:
        # A copy: a buffer that is donated to a step may stand in its state only once.
        return AverageState(optimizer.init(params), jax.tree.map(jnp.copy, params), jnp.zeros((), jnp.int32))

    inner_optimizer = optax.with_extra_args_support(optimizer)

    def update(
        updates: Params, state: AverageState, params: Params | None = None, **extra: Any
    ) -> tuple[Params, AverageState]:
        updates, inner = inner_optimizer.update(updates, state.inner, params, **extra)
        t = state.num_updates + 1
        keep = jnp.minimum(decay, (1 + t) / (10 + t))
        new = optax.apply_updates(params, updates)
        average = jax.tree.map(lambda old, now: keep * old + (1 - keep) * now, state.average, new)
        return updates, AverageState(inner, average, t)

    return optax.GradientTransformationExtraArgs(init, update)


def evaluation_params(state: TrainState) -> Params:
    """The averaged parameters where an average is kept, else the last ones."""
    return state.opt_state.average if isinstance(state.opt_state, AverageState) else state.params
