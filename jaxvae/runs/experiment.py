"""Preparation of a run: data, settled options, model, and engine of the training."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxvae import hosts, stores
from jaxvae.checkpoint import Checkpoints
from jaxvae.data import Dataset, Preparation, load
from jaxvae.data.conditions import conditioned, fit_condition
from jaxvae.data.labels import hide_labels, only_classes
from jaxvae.errors import InputError
from jaxvae.options.groups import Compute, Data
from jaxvae.options.identity import flat
from jaxvae.options.recipe import Recipe
from jaxvae.options.stored import to_json
from jaxvae.runs import directory, progress
from jaxvae.runs.engine import Engine, build_engine, is_resident
from jaxvae.runs.parts import Parts, build_parts, check_loss
from jaxvae.runs.progress import announced
from jaxvae.runs.settle import check_kind, settle, settle_scale, settle_space
from jaxvae.trackers import About
from jaxvae.trackers.tracking import Tracking, tracked
from jaxvae.training import Dispatch, make_dispatch
from jaxvae.types import TrainState


class Experiment(NamedTuple):
    """Constants of a run while it trains."""

    recipe: Recipe
    data: Dataset
    parts: Parts
    engine: Engine
    run_dir: Path
    checkpoints: Checkpoints

    def say(self, line: str) -> None:
        """Print a line, once for all processes, unless the run is quiet."""
        if not self.recipe.output.quiet:
            progress.say(line)

    @contextlib.contextmanager
    def tracked(self, first_step: int) -> Iterator[Tracking | None]:
        """Open the trackers of a training that goes on from a step; None in all processes but the main one."""
        if not hosts.is_main():
            yield None
            return
        about = About(self.run_dir, to_json(self.recipe), flat(self.recipe, {"format": None}), first_step)
        with tracked(self.recipe.output.track, about) as tracking:
            yield tracking

    def selected(self, last: TrainState) -> TrainState:
        """Return the state that the run reports, the last or the best checkpoint's; every process must call this."""
        # A run that a callback ends early has no evaluation yet.
        reports_best = self.recipe.output.select == "best" and self.checkpoints.scores()
        best = self.checkpoints.restore(last, best=True) if reports_best else None
        return last if best is None else best.state


@contextlib.contextmanager
def prepare(
    recipe: Recipe, data: Dataset | None = None, make: Callable[..., Dispatch] = make_dispatch
) -> Iterator[Experiment]:
    """Read the data, settle the options, build the parts, and only then open the run directory.

    Args:
        recipe: options, some of which are left open.
        data: data set, opened already; that of the recipe if not given.
        make: function that makes the dispatch of its steps, with the arguments of `make_dispatch`.
    """
    check_kind(recipe)
    with announced(f"reading {recipe.data.dataset}"):
        scale, data = settle_scale(recipe.data.scale, _read(recipe, data))
    recipe = settle(dataclasses.replace(recipe, data=dataclasses.replace(recipe.data, scale=scale)), data)
    data = settle_space(recipe.data.binarize, data)
    if recipe.condition != "none":
        data = conditioned(data, fit_condition(recipe.condition, data))
    train = data.train
    sizes = {"num_examples": train.num_examples, "num_labelled": train.num_labelled}
    parts = build_parts(recipe, data.space, condition_space=train.condition_space, **sizes)
    check_loss(parts)
    engine = build_engine(recipe, parts, train, make)
    with contextlib.ExitStack() as held:
        with announced(f"opening {stores.address(recipe.run_dir)}"):
            folder, upload = held.enter_context(stores.training(recipe.run_dir))
        recipe = dataclasses.replace(recipe, output=dataclasses.replace(recipe.output, run_dir=folder))
        checkpoints = Checkpoints(folder / "checkpoints", saved=upload)
        if recipe.train.init_from is not None and not checkpoints.steps():
            directory.starting_params(recipe, parts)  # refuses it before the folder is made
        with directory.open_run_dir(recipe, data) as run_dir:
            upload()
            yield Experiment(recipe, data, parts, engine, run_dir, checkpoints)


def open_data(source: Data, preparation: Preparation, compute: Compute) -> Dataset:
    """Open a data set for several runs and, where it fits on the device, read it into memory."""
    data = load(source.dataset, source.data_dir, stream=True, preparation=preparation)
    return data.in_memory() if is_resident(compute, data.train.x) else data


def _read(recipe: Recipe, data: Dataset | None) -> Dataset:
    """Open the data and, where they fit on the device, read them into memory."""
    source = recipe.data
    if data is None:
        data = load(source.dataset, source.data_dir, stream=True, preparation=recipe.preparation)
    data = only_classes(data, source.only)
    if source.train_examples is not None:
        data = _fewer(data, source.train_examples)
    data = hide_labels(data, source.labelled, source.labelled_seed)
    return data.in_memory() if is_resident(recipe.compute, data.train.x) else data


def _fewer(data: Dataset, num: int) -> Dataset:
    if num > data.train.num_examples:
        raise InputError(f"train-examples: {num} asked for, {data.name} has {data.train.num_examples}; ask for fewer")
    return data._replace(train=data.train.take(np.arange(num)))
