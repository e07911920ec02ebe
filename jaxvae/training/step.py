"""One training step: a pure function of state and batch, the same on one device and on many."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import optax

from jaxvae import rng
from jaxvae.types import Array, Batch, Key, Params, TrainState

Loss: TypeAlias = Callable[..., tuple[Array, Any]]
"""`(params, keys, x, *, condition, weights) -> (loss, aux)`: the weighted mean over examples, and `[B, ...]` terms."""
Metrics: TypeAlias = dict[str, Array]
TrainStep: TypeAlias = Callable[[TrainState, Batch], tuple[TrainState, Metrics]]


def init_state(key: Key, params: Params, optimizer: optax.GradientTransformation) -> TrainState:
    """The state before the first step; `key` is the run's root key."""
    return TrainState(jnp.zeros((), jnp.int32), params, optimizer.init(params), key)


def make_train_step(loss: Loss, optimizer: optax.GradientTransformation, *, axis_name: str | None = None) -> TrainStep:
    """Make `train_step(state, batch) -> (state, metrics)`.

    Gradients are averaged over the whole batch by its weights, so padding and uneven shards are exact. Metrics are the
    loss, every term of `aux` averaged over examples, and `examples`, the sum of the weights.

    Args:
        loss: see `Loss`; bind the model and all hyperparameters with `functools.partial`.
        optimizer: an optax transformation.
        axis_name: the device axis to reduce over, under `pmap`, `shard_map` or `vmap`; None when alone.
    """

    def train_step(state: TrainState, batch: Batch) -> tuple[TrainState, Metrics]:
        keys = rng.example_keys(rng.stream(state.key, "noise", state.step), batch.ids)
        (value, aux), gradient = jax.value_and_grad(loss, has_aux=True)(
            state.params, keys, batch.x, condition=batch.condition, weights=batch.weights
        )
        examples = batch.weights.sum()
        terms = {name: jnp.tensordot(batch.weights, term, 1) for name, term in aux._asdict().items()}
        sums = {"loss": examples * value, **terms}
        gradient = jax.tree.map(lambda g: examples * g, gradient)
        if axis_name is not None:
            # After the gradient and over sums: inside the loss, or over means, the result would depend on the devices.
            gradient, sums, examples = jax.lax.psum((gradient, sums, examples), axis_name)
        gradient, metrics = jax.tree.map(lambda total: total / examples, (gradient, sums))
        updates, opt_state = optimizer.update(gradient, state.opt_state, state.params)
        params = optax.apply_updates(state.params, updates)
        return TrainState(state.step + 1, params, opt_state, state.key), {**metrics, "examples": examples}

    return train_step
