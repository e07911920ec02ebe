"""Trials of a sweep: each a run in a folder of its own, judged and pruned by its bound on validation data."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jaxvae.errors import InputError, InUseError
from jaxvae.options.command_line import parse_recipe
from jaxvae.options.recipe import Recipe
from jaxvae.packages import needed_by
from jaxvae.report import read_metrics
from jaxvae.runs.experiment import Experiment, open_data, prepare
from jaxvae.runs.training import train_to_the_end
from jaxvae.sweeps.search import Choices, Range, choose
from jaxvae.sweeps.study import POLL_SECONDS, Stopped, run_name, suggest
from jaxvae.training import NonFiniteError
from jaxvae.training.lanes import Lane

BOUND = ("elbo", "log_likelihood")
"""Numbers of an evaluation, of which the first that is there is the bound; codes that are points have no ELBO."""


def make_objective(fixed: Sequence[str], search: Mapping[str, Range | Choices], folder: Path) -> Callable[..., float]:
    """Return the function of a trial that trains and returns the best bound on validation data, in nats per example.

    A second argument is the trial's lane among others that train at once.
    """
    pruned = needed_by("sweep", "optuna", "sweeps").TrialPruned
    opened = functools.cache(open_data)

    def objective(trial: Any, lane: Lane | None = None) -> float:
        recipe = in_folder(parse_recipe(choose(fixed, search, suggest(trial))), folder / run_name(trial))
        recipe.check()
        shared: dict[str, Any] = {}
        if lane is not None:
            recipe = on_one_device(recipe)
            shared = {"data": opened(recipe.data, recipe.preparation, recipe.compute), "make": lane.make_dispatch}

        def watch(step: int, numbers: dict[str, Any]) -> None:
            trial.report(bound(numbers), step)
            if trial.should_prune():
                raise pruned(f"step {step}")

        with prepare_when_free(recipe, **shared) as experiment:
            if experiment.data.validation is None:
                raise InputError(
                    f"dataset: {experiment.data.name} has no validation data, and test data must not choose; name a "
                    "set that has some"
                )
            try:
                interrupt = None if lane is None else lane.interrupt
                exit_code = train_to_the_end(experiment, watch=watch, interrupt=interrupt).exit_code
            except NonFiniteError as fault:
                raise pruned(str(fault)) from fault
        if exit_code:
            raise Stopped(exit_code)
        return best_bound(recipe.run_dir)

    return objective


@contextlib.contextmanager
def prepare_when_free(recipe: Recipe, **shared: Any) -> Iterator[Experiment]:
    """Prepare a run, once no other process trains it: one that was too slow to give a sign of life may still do so."""
    with contextlib.ExitStack() as held:
        while True:
            try:
                experiment = held.enter_context(prepare(recipe, **shared))
                break
            except InUseError:
                time.sleep(POLL_SECONDS)
        yield experiment


def in_folder(recipe: Recipe, run_dir: Path) -> Recipe:
    """Return the recipe of a trial: in its own folder, without figures, and quiet."""
    output = dataclasses.replace(recipe.output, run_dir=run_dir, figures=False, quiet=True, track=())
    compute = dataclasses.replace(recipe.compute, num_processes=1)
    return dataclasses.replace(recipe, output=output, compute=compute)


def on_one_device(recipe: Recipe) -> Recipe:
    """Return the recipe of one of several trials at once, which share a device unless others are asked for."""
    return dataclasses.replace(recipe, compute=dataclasses.replace(recipe.compute, devices=recipe.compute.devices or 1))


def bound(numbers: Mapping[str, Any]) -> float:
    """Return the bound among the numbers of an evaluation."""
    return float(next(numbers[name] for name in BOUND if numbers.get(name) is not None))


def best_bound(run_dir: Path) -> float:
    """Return the best bound on validation data of a run."""
    lines = read_metrics(run_dir / "metrics.jsonl")
    return max(bound(line) for line in lines if line["split"] == "validation")
