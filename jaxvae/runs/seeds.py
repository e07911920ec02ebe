"""Several seeds trained together: the stacked state split by seed, and their numbers combined."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from jaxvae import rng
from jaxvae.checkpoint import Checkpoints
from jaxvae.data import Dataset, Split
from jaxvae.options.recipe import Recipe
from jaxvae.runs import directory
from jaxvae.runs.evaluation import evaluate_seeds, evaluate_split
from jaxvae.runs.parts import Parts
from jaxvae.training.optimizer import evaluation_params
from jaxvae.types import TrainState


def members(recipe: Recipe, state: TrainState) -> list[tuple[Recipe, TrainState]]:
    """Return each seed's recipe and state; its run directory is a subfolder of the common one."""
    if recipe.train.seeds == 1:
        return [(recipe, state)]
    # Each seed's key is known, so the stack of keys need not be split repeatedly.
    stacked: TrainState = state._replace(key=())  # type: ignore[arg-type]

    def member(number: int) -> tuple[Recipe, TrainState]:
        seed = recipe.train.seed + number
        train = dataclasses.replace(recipe.train, seed=seed, seeds=1)
        output = dataclasses.replace(recipe.output, run_dir=recipe.run_dir / f"seed-{seed}")
        own = jax.tree.map(lambda leaf: leaf[number], stacked)._replace(key=rng.root(seed))
        return dataclasses.replace(recipe, train=train, output=output), own

    return [member(number) for number in range(recipe.train.seeds)]


def evaluate(recipe: Recipe, parts: Parts, state: TrainState, split: Split) -> list[dict[str, float]]:
    """Evaluate the ELBO of each seed on a split; of several all together."""
    params, train = evaluation_params(state), recipe.train
    if train.seeds == 1:
        return [evaluate_split(parts.model, params, split, seed=train.seed, reports_elbo=parts.reports_elbo)]
    seeds = range(train.seed, train.seed + train.seeds)
    return evaluate_seeds(parts.model, params, split, seeds=seeds, reports_elbo=parts.reports_elbo)


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


def per_seed(num: int, metrics: dict[str, Any]) -> list[dict[str, Any]]:
    """Split metrics, whose first axis is the seed, into those of each seed."""
    if num == 1:
        return [metrics]
    return [{name: values[number] for name, values in metrics.items()} for number in range(num)]


def save_alone(recipe: Recipe, data: Dataset, states: list[TrainState], scores: Mapping[int, float]) -> None:
    """Write the run directory of one of several seeds, as if it had been trained alone.

    Args:
        recipe: recipe of the seed.
        data: data set of the run.
        states: reported state and last state, which may be the same.
        scores: scores over all seeds, by evaluated step.
    """
    with directory.open_run_dir(recipe, data) as run_dir:
        for state in states:
            step, checkpoints = int(state.step), Checkpoints(run_dir / "checkpoints")
            checkpoints.save(step, state, directory.about(run_dir, recipe.classes), scores.get(step))
