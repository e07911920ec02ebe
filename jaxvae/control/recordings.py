"""Recorded episodes as files."""

from __future__ import annotations

from pathlib import Path

import jax
import numpy as np

from jaxvae.control.environments import Environment
from jaxvae.control.rollouts import Episodes

STATE = "state"


def save_episodes(path: Path, episodes: Episodes) -> None:
    """Write episodes, whose states are those of the environment, so that a killed process leaves no half of a file."""
    leaves = {f"{STATE}_{number}": leaf for number, leaf in enumerate(jax.tree.leaves(episodes.states))}
    others = {name: array for name, array in episodes._asdict().items() if name != "states"}
    part = path.with_suffix(".part.npz")
    np.savez_compressed(part, **leaves, **others)
    part.rename(path)


def load_episodes(path: Path, environment: Environment) -> Episodes:
    """Read episodes of an environment."""
    leaves, form = jax.tree.flatten(jax.eval_shape(environment.begin, jax.random.key(0)))
    with np.load(path) as stored:
        states = [stored[f"{STATE}_{number}"] for number in range(len(leaves))]
        others = {name: stored[name] for name in Episodes._fields if name != "states"}
    return Episodes(jax.tree.unflatten(form, states), **others)


def joined(first: Episodes, second: Episodes) -> Episodes:
    """Return the episodes of two recordings of one length."""
    return jax.tree.map(lambda one, two: np.concatenate([one, two]), first, second)
