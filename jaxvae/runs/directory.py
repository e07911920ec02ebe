"""A run directory: opened for training, and loaded again with no other argument."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import jax

from jaxvae import hosts
from jaxvae.checkpoint import Checkpoints
from jaxvae.data import Dataset
from jaxvae.model import VAE
from jaxvae.report import manifest, write_json
from jaxvae.runs.config import TrainConfig, identity
from jaxvae.runs.pieces import build_model, initial_state
from jaxvae.training.optimizer import evaluation_params
from jaxvae.types import InputError, Params


class Run(NamedTuple):
    """A trained model, as its run directory tells it."""

    config: TrainConfig
    model: VAE
    params: Params
    step: int


def open_run_dir(config: TrainConfig, data: Dataset) -> Path:
    """Make the run directory, or check that the one there belongs to the same run; write config and manifest.

    Raises:
        InputError: the path is a file, or holds a run with other options or other data.
    """
    run_dir = Path(str(config.run_dir))
    if run_dir.exists() and not run_dir.is_dir():
        raise InputError(f"run-dir: {run_dir} is a file; name a folder")
    facts = {
        "name": data.name,
        "shape": list(data.shape),
        "pixels": data.pixels,
        "train": data.train.num_examples,
        "validation": data.validation.num_examples if data.validation else 0,
        "test": data.test.num_examples,
        "fingerprint": data.fingerprint(),
    }
    if (run_dir / "config.json").exists():
        _check_same(identity(read_config(run_dir)), identity(config), f"run-dir: {run_dir} holds a run with other")
        _check_same(_read(run_dir / "manifest.json")["data"], facts, f"dataset: {run_dir} was trained on other data:")
    hosts.wait_for_all("run directory checked")  # none may find half of what the main process is about to write
    if hosts.is_main():
        run_dir.mkdir(parents=True, exist_ok=True)
        write_json(run_dir / "config.json", config.to_json())
        write_json(run_dir / "manifest.json", {**manifest(), "data": facts})
    hosts.wait_for_all("run directory written")
    return run_dir


def _check_same(there: dict[str, Any], wanted: dict[str, Any], message: str) -> None:
    there, wanted = json.loads(json.dumps(there)), json.loads(json.dumps(wanted))
    differing = [
        f"{name} {there.get(name)} there, {wanted[name]} here" for name in wanted if there.get(name) != wanted[name]
    ]
    if differing:
        raise InputError(f"{message} {'; '.join(differing)}. Name another --run-dir, or give the same options")


def read_config(run_dir: Path) -> TrainConfig:
    """The options that a run was trained with."""
    return TrainConfig.from_json(_read(run_dir / "config.json"))


def _read(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text())
    except (OSError, json.JSONDecodeError) as error:
        raise InputError(f"run-dir: cannot read {path} ({error}); name a folder that train.py wrote") from None


def load_run(run_dir: Path, *, best: bool = False) -> Run:
    """Load a trained model: its newest intact checkpoint, with everything else from the run directory.

    Args:
        run_dir: a folder that train.py wrote.
        best: load the checkpoint with the best ELBO (on the validation split where there is one) instead.

    Raises:
        InputError: the folder holds no run, or several seeds' runs, or no checkpoint of it is intact.
    """
    config = read_config(run_dir)
    if config.seeds > 1:
        raise InputError(f"run-dir: {run_dir} holds {config.seeds} seeds; name one of its folders seed-N")
    shape = tuple(_read(run_dir / "manifest.json")["data"]["shape"])
    model = build_model(config, shape)
    like = jax.eval_shape(lambda: initial_state(config, model, shape))
    checkpoints = Checkpoints(run_dir / "checkpoints")
    state = checkpoints.restore(like, best=best)
    checkpoints.close()
    if state is None:
        raise InputError(f"run-dir: {run_dir} has no checkpoint yet; train it first")
    return Run(config, model, evaluation_params(state), int(state.step))
