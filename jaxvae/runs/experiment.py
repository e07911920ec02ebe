"""Preparation of a run: data, resolved options, model, and engine of the training."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxvae import hosts
from jaxvae.checkpoint import Checkpoints
from jaxvae.data import Dataset, load
from jaxvae.model import VAE
from jaxvae.runs import directory, pieces
from jaxvae.runs.config import TrainConfig
from jaxvae.runs.engine import Engine, build_engine, is_resident
from jaxvae.runs.progress import announced
from jaxvae.runs.resolve import resolve, settle_scale, settle_space
from jaxvae.types import InputError, TrainState


class Experiment(NamedTuple):
    """Constants of a run while it trains."""

    config: TrainConfig
    data: Dataset
    model: VAE
    engine: Engine
    run_dir: Path
    checkpoints: Checkpoints

    def selected(self, last: TrainState) -> TrainState:
        """Return the state that the run reports, the last or the best checkpoint's; every process must call this."""
        best = self.checkpoints.restore(last, best=True) if self.config.select == "best" else None
        return last if best is None else best.state


@contextlib.contextmanager
def prepare(config: TrainConfig) -> Iterator[Experiment]:
    """Load the data, resolve the options, build the engine, and only then open the run directory."""
    with announced(f"reading {config.dataset}"):
        data = load(config.dataset, config.data_dir, stream=True, preparation=config.preparation)
        if config.train_examples is not None:
            data = _fewer(data, config.train_examples)
        if is_resident(config.compute, data.train.x):
            data = data.in_memory()
        config, data = settle_scale(config, data)
    config = resolve(config, data)
    data = settle_space(config, data)
    model = pieces.build_model(config, data.shape)
    engine = build_engine(config, model, data.train)
    checkpoints = Checkpoints(Path(str(config.run_dir)) / "checkpoints")
    if config.init_from is not None and not checkpoints.steps():
        directory.starting_params(config, model, data.shape)  # refuses it before the folder is made
    with directory.open_run_dir(config, data) as run_dir:
        yield Experiment(config, data, model, engine, run_dir, checkpoints)


def _fewer(data: Dataset, num: int) -> Dataset:
    if num > data.train.num_examples:
        raise InputError(f"train-examples: {num} asked for, {data.name} has {data.train.num_examples}; ask for fewer")
    return data._replace(train=data.train.take(np.arange(num)))


def say(line: str) -> None:
    """Print a line, once for all processes."""
    if hosts.is_main():
        print(line)
