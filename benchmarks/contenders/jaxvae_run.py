"""jaxvae, through the functions that `experiments/train.py` calls, logging every 100 steps as it does."""

from __future__ import annotations

import numpy as np

from contenders import Case, Run
from jaxvae.data import Dataset, Split
from jaxvae.data.spaces import Pixels
from jaxvae.options import given
from jaxvae.runs.engine import build_engine
from jaxvae.runs.parts import build_parts, initial_state
from jaxvae.runs.settle import settle, settle_space
from jaxvae.training import Hook, Progress, train
from jaxvae.training.loop import steps_taken
from jaxvae.types import TrainState


def log(state: TrainState, progress: Progress) -> None:
    """Wait for the running steps and fetch their metrics, as logging does."""
    progress.take_metrics()


def setup(case: Case, images: np.ndarray, *, binarize: bool = False) -> Run:
    options = {
        "preset": "conv_vae" if case.channels else "vae",
        "batch_size": case.batch_size,
        "hidden": case.hidden,
        **({"channels": case.channels} if case.channels else {}),
        "latent_dim": case.latent_dim,
        "likelihood": "bernoulli" if binarize else "grey_cross_entropy",
        "steps": 10**9,
    }
    config = given(**{**options, **(case.options or {})})
    data = Dataset("images", Split(images), Split(images[:1])).of_space(Pixels(images.shape[1:], "ink"))
    config = settle(config, data)
    data = settle_space(config.data.binarize, data)
    parts = build_parts(config, data.space)
    engine = build_engine(config, parts, data.train)
    state = engine.dispatch.place_state(initial_state(config, parts))
    chunks = engine.chunks(0)

    def run(num_steps: int) -> int:
        nonlocal state
        first = steps_taken(state)
        state, _ = train(
            state, engine.dispatch.run, chunks, num_steps=first + num_steps, hooks=[Hook(config.output.log_every, log)]
        )
        return steps_taken(state) - first

    return run
