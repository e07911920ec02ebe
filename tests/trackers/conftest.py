"""A training in a process of its own that is stopped and goes on, with a tracker."""

import json
import os
import subprocess
import sys

import pytest

TRAIN = """
import os
import sys
from pathlib import Path

import numpy as np
from PIL import Image

import jaxvae
from jaxvae.runs import drawing

def draw(experiment, state, folder):
    folder.mkdir()
    Image.fromarray(np.zeros((2, 2), np.uint8)).save(folder / "small.png")

drawing.draw = draw
track, run_dir = sys.argv[1], Path(sys.argv[2])
x = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
options = {"steps": 10, "log_every": 2, "checkpoint_every": 2, "batch_size": 20, "hidden": (4,), "latent_dim": 2}
recipe = jaxvae.preset("vae", track=(track,), quiet=True, devices=1, **options)
stop = lambda step, metrics, state: step == 4 and os.kill(os.getpid(), 15)
jaxvae.train(recipe, x, run_dir=run_dir, callbacks=[stop])
assert not (run_dir / "summary.json").exists()
jaxvae.train(recipe, x, run_dir=run_dir, draw=True)
"""


@pytest.fixture
def trained(tmp_path):
    """Train with a tracker; the run directory with its lines of metrics and summary."""

    def train(track):
        run_dir = tmp_path / "runs" / "small"
        names = ("WANDB_", "MLFLOW_")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(names)}
        command = [sys.executable, "-c", TRAIN, track, str(run_dir)]
        result = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)
        assert result.returncode == 0, result.stderr
        assert "left out" not in result.stderr
        lines = [json.loads(line) for line in (run_dir / "metrics.jsonl").read_text().splitlines()]
        return run_dir, lines, json.loads((run_dir / "summary.json").read_text())

    return train
