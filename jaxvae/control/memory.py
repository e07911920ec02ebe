"""M: training of the recurrent network that predicts the next code, and windows of episodes to train it on."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.typing import ArrayLike

from jaxvae import rng
from jaxvae.control.resuming import go_on
from jaxvae.control.rollouts import Episodes
from jaxvae.errors import InputError
from jaxvae.nets.mixture_density import MixtureDensityLSTM, Prediction
from jaxvae.types import Array, Key, Params

STEPS_AT_ONCE = 50
"""Number of training steps in one call of the device."""


class Windows(NamedTuple):
    """Windows of episodes, padded at their ends: arrays of the host or of the device."""

    codes: Any
    """`[M, W + 1, D]`."""
    actions: Any
    """`[M, W]` int32."""
    rewards: Any
    """`[M, W]`."""
    there: Any
    """`[M, W]` booleans, True where the step was taken."""
    ended: Any
    """`[M, W]` booleans, True where the step ended the episode."""


class Training(NamedTuple):
    """State of a training."""

    step: Array
    params: Params
    optimizer: optax.OptState
    loss: Array
    """Mean loss of the last steps, in nats per step of an episode."""


def windows(codes: ArrayLike, episodes: Episodes, width: int) -> Windows:
    """Cut N episodes with codes `[N, T + 1, D]` into windows of a width, and leave out those without a step.

    Raises:
        InputError: no step was taken.
    """
    actions, rewards, there, ended = map(np.asarray, episodes[1:])
    codes, (num, length) = np.asarray(codes), actions.shape
    pieces = -(-length // width)
    more = ((0, 0), (0, pieces * width - length))

    def cut(each: np.ndarray) -> np.ndarray:
        return np.pad(each, more).reshape(num * pieces, width)

    padded = np.pad(codes, (*more, (0, 0)), mode="edge")
    starts = np.arange(pieces)[:, None] * width + np.arange(width + 1)
    cut_codes = padded[:, starts].reshape(num * pieces, width + 1, codes.shape[-1])
    full = Windows(cut_codes, cut(actions).astype(np.int32), cut(rewards), cut(there), cut(ended))
    kept = full.there.any(axis=1)
    if not kept.any():
        raise InputError("episodes: no step was taken in any episode; record longer ones")
    return Windows(*(each[kept] for each in full))


def memory_loss(params: Params, network: MixtureDensityLSTM, batch: Windows) -> Array:
    """Compute the loss of M, the mean over steps of an episode, in nats.

        loss = -log p(z_{t+1} | z_<=t, a_<=t) - log p(end_{t+1} | z_<=t, a_<=t) - log p(r_{t+1} | z_<=t, a_<=t)

    The code of a step that ends the episode counts as well; the reward r, as the probability of a point, only where the
    network predicts it.

    Args:
        params: parameters of the network.
        network: M.
        batch: `[B, W]` windows.
    """
    z = jnp.swapaxes(batch.codes, 0, 1)
    actions, rewards, there, ended = (jnp.swapaxes(each, 0, 1) for each in batch[1:])
    follows = network.apply({"params": params}, z[:-1], actions)
    assert isinstance(follows, Prediction)
    losses = optax.sigmoid_binary_cross_entropy(follows.end, ended.astype(jnp.float32)) - follows.code.log_prob(z[1:])
    if network.predicts_reward:
        losses += optax.sigmoid_binary_cross_entropy(follows.reward, rewards)
    losses = jnp.where(there, losses, 0)
    return losses.sum() / jnp.maximum(there.sum(), 1)


def init_memory(key: Key, network: MixtureDensityLSTM) -> Params:
    """Initialise the parameters of M."""
    params: Params = network.init(key, jnp.zeros((1, 1, network.latent_dim)), jnp.zeros((1, 1), jnp.int32))
    return params["params"]


def fit_memory(
    key: Key,
    network: MixtureDensityLSTM,
    data: Windows,
    folder: Path,
    *,
    steps: int = 3000,
    batch_size: int = 32,
    learning_rate: float = 5e-3,
    note: Callable[[int], None] = lambda step: None,
) -> Training:
    """Train M by Adam, its learning rate falling to zero as a cosine, from its newest checkpoint if there is one.

    Args:
        key: one key; the parameters begin as those of `init_memory` with the stream `init`.
        network: M.
        data: windows of episodes.
        folder: folder of the checkpoints.
        steps: number of steps.
        batch_size: number of windows in a step.
        learning_rate: peak learning rate.
        note: function called with the number of steps taken.
    """
    at_once = min(STEPS_AT_ONCE, steps)
    optimizer = optax.chain(
        optax.clip_by_global_norm(1.0), optax.adam(optax.cosine_decay_schedule(learning_rate, steps))
    )
    data = Windows(*map(jnp.asarray, data))
    params = init_memory(rng.stream(key, "init"), network)
    start = Training(jnp.zeros((), jnp.int32), params, optimizer.init(params), jnp.zeros(()))

    def step(state: Training, number: Array, key: Key, data: Windows) -> tuple[Training, Array]:
        ids = jax.random.randint(rng.stream(key, "batch", number), (batch_size,), 0, len(data.there))
        batch = Windows(*(each[ids] for each in data))
        loss, gradient = jax.value_and_grad(memory_loss)(state.params, network, batch)
        updates, memory = optimizer.update(gradient, state.optimizer)
        return Training(number + 1, optax.apply_updates(state.params, updates), memory, loss), loss

    @functools.partial(jax.jit, donate_argnums=0)
    def advance(state: Training, key: Key, data: Windows) -> Training:
        body = functools.partial(step, key=key, data=data)
        state, losses = jax.lax.scan(body, state, state.step + jnp.arange(at_once))
        return state._replace(loss=losses.mean())

    def more(state: Training) -> Training:
        return advance(state, key, data)

    return go_on(folder, start, more, steps=steps, every=500, note=note)
