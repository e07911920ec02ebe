"""Several seeds trained together: the stacked state split by seed, and their numbers combined."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxvae import rng
from jaxvae.checkpoint import Checkpoints
from jaxvae.data import Dataset, Split
from jaxvae.model import VAE
from jaxvae.runs import directory, pieces
from jaxvae.runs.config import TrainConfig
from jaxvae.training.optimizer import evaluation_params
from jaxvae.types import TrainState


def members(config: TrainConfig, state: TrainState) -> list[tuple[TrainConfig, TrainState]]:
    """Return each seed's config and state; its run directory is a subfolder of the common one."""
    if config.seeds == 1:
        return [(config, state)]
    # Each seed's key is known, so the stack of keys need not be split repeatedly.
    stacked: TrainState = state._replace(key=())  # type: ignore[arg-type]

    def member(number: int, one: TrainConfig) -> tuple[TrainConfig, TrainState]:
        own = dataclasses.replace(one, run_dir=Path(str(config.run_dir)) / f"seed-{one.seed}")
        return own, jax.tree.map(lambda leaf: leaf[number], stacked)._replace(key=rng.root(one.seed))

    return [member(number, one) for number, one in enumerate(pieces.single_seeds(config))]


def evaluate(config: TrainConfig, model: VAE, state: TrainState, split: Split) -> dict[str, Any]:
    """Evaluate the ELBO on a split, for one seed, or as mean and spread over several."""
    return together(
        [pieces.evaluate_split(one, model, evaluation_params(member), split) for one, member in members(config, state)]
    )


def together(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Combine rows: one value where they agree, else the mean and, as `NAME_std`, the standard deviation.

    >>> together([{"elbo": -1.0, "steps": 9, "sha256": "a"}, {"elbo": -3.0, "steps": 9, "sha256": "b"}])
    {'elbo': -2.0, 'elbo_std': 1.4142135623730951, 'steps': 9, 'sha256': ['a', 'b']}
    """
    if len(rows) == 1:
        return rows[0]
    result: dict[str, Any] = {}
    for name in rows[0]:
        values = [row[name] for row in rows]
        if all(value == values[0] for value in values):
            result[name] = values[0]
        elif isinstance(values[0], str):
            result[name] = values
        else:
            numbers = np.asarray(values, float)  # None, from JSON, becomes NaN
            result[name] = numbers.mean(axis=0).tolist()
            result[f"{name}_std"] = numbers.std(axis=0, ddof=1).tolist()
    return result


def per_seed(config: TrainConfig, metrics: dict[str, Any]) -> list[dict[str, Any]]:
    """Split metrics, whose first axis is the seed, into those of each seed."""
    if config.seeds == 1:
        return [metrics]
    return [{name: values[number] for name, values in metrics.items()} for number in range(config.seeds)]


def save_alone(config: TrainConfig, data: Dataset, states: list[TrainState], scores: Mapping[int, float]) -> None:
    """Write the run directory of one of several seeds, as if it had been trained alone.

    Args:
        config: config of the seed.
        data: data set of the run.
        states: reported state and last state, which may be the same.
        scores: scores over all seeds, by evaluated step.
    """
    with directory.open_run_dir(config, data) as run_dir:
        for state in states:
            step, checkpoints = int(state.step), Checkpoints(run_dir / "checkpoints")
            checkpoints.save(step, state, directory.about(run_dir), scores.get(step))
