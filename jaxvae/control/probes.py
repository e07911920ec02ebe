"""Probes: how much of a state is a linear function of what a controller sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from jaxvae.control.ablations import Row
from jaxvae.control.environments import Environment
from jaxvae.control.rollouts import Episodes
from jaxvae.control.worlds import Viewed
from jaxvae.nets.bound import Bound


def linear_r2(features: ArrayLike, targets: ArrayLike, new_features: ArrayLike, new_targets: ArrayLike) -> np.ndarray:
    """Fit targets `[N, Q]` by least squares, and return `[Q]` shares of the variance of new ones that are explained.

    A share is below 0 where the mean would be nearer.

    Args:
        features: `[N, F]`.
        targets: `[N, Q]`.
        new_features: `[M, F]`.
        new_targets: `[M, Q]`.

    >>> x = np.arange(6.0)[:, None]
    >>> print(linear_r2(x, 3 * x + 1, x + 9, 3 * x + 28))
    [1.]
    """
    features, targets, new_features, new_targets = (
        np.asarray(each, np.float64) for each in (features, targets, new_features, new_targets)
    )
    weights, *_ = np.linalg.lstsq(_with_one(features), targets, rcond=None)
    errors = new_targets - _with_one(new_features) @ weights
    return np.asarray(1 - np.square(errors).mean(axis=0) / new_targets.var(axis=0))


def probe(rows: Mapping[str, Row], episodes: Episodes) -> dict[str, np.ndarray]:
    """Return the R2 `[Q]` of the state's numbers from z, and from z and h of each row with a memory.

    The first half of the episodes fits, the second is explained.

    Args:
        rows: `ablations`.
        episodes: N episodes, whose states are those of the environment.
    """
    views: dict[str, Any] = {name: row.test.view for name, row in rows.items() if isinstance(row.test, Viewed)}
    views = {name: view for name, view in views.items() if rows[name].training is rows[name].test}
    world: Any = rows["z"].test
    environment: Environment = world.environment
    z = views["z"].vision.encode_states(environment, episodes.states)[:, :-1]
    memories = {name: view.memory for name, view in views.items() if hasattr(view, "memory")}
    outputs = {name: outputs_before(memory, z, episodes.actions) for name, memory in memories.items()}
    seen = {"z": z, **{name: np.concatenate([z, h], axis=-1) for name, h in outputs.items()}}
    numbers = np.asarray(jax.vmap(jax.vmap(environment.numbers))(episodes.states))[:, :-1]
    there, half = np.asarray(episodes.there), len(z) // 2
    first, second = there[:half], there[half:]
    return {
        name: linear_r2(each[:half][first], numbers[:half][first], each[half:][second], numbers[half:][second])
        for name, each in seen.items()
    }


def explained_change(memory: Bound, codes: ArrayLike, episodes: Episodes) -> np.ndarray:
    """Return the share `[D]` of the variance of a code's changes that M's mean predicts from one step to the next.

    Where the dynamics have no noise it may be 1, for who knows the velocities.

    Args:
        memory: `nets.MixtureDensityLSTM` with its parameters.
        codes: `[N, T + 1, D]` codes of the frames.
        episodes: N episodes.
    """

    @jax.jit
    def predict(memory: Bound, codes: jax.Array, actions: jax.Array) -> jax.Array:
        return memory(jnp.swapaxes(codes, 0, 1), actions.T).code.mean.swapaxes(0, 1)

    z, there = np.asarray(codes), np.asarray(episodes.there)
    changes = np.diff(z, axis=1)[there]
    errors = (np.asarray(predict(memory, jnp.asarray(z[:, :-1]), jnp.asarray(episodes.actions))) - z[:, 1:])[there]
    return np.asarray(1 - np.square(errors).mean(axis=0) / changes.var(axis=0))


def outputs_before(memory: Bound, codes: ArrayLike, actions: ArrayLike) -> np.ndarray:
    """Return what a memory holds at each step, `[N, T, H]`: outputs after the codes and actions before it.

    Args:
        memory: network with its parameters.
        codes: `[N, T, D]`.
        actions: `[N, T]`.
    """

    @jax.jit
    def run(memory: Bound, codes: jax.Array, actions: jax.Array) -> jax.Array:
        h = memory(jnp.swapaxes(codes, 0, 1), actions.T, method="outputs")
        return jnp.swapaxes(jnp.concatenate([jnp.zeros_like(h[:1]), h[:-1]]), 0, 1)

    return np.asarray(run(memory, jnp.asarray(codes), jnp.asarray(actions)))


def _with_one(features: np.ndarray) -> np.ndarray:
    return np.concatenate([features, np.ones((len(features), 1))], axis=1)
