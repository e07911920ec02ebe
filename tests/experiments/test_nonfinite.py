"""train.py at a step that is not finite: what it says, what it leaves, and how a run goes on from there."""

import json
import subprocess
import sys
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae import elbo_loss, rng
from jaxvae.data import load
from jaxvae.data.batches import BatchOrder
from jaxvae.objectives.elbo import weighted_mean
from jaxvae.options import given, options_of
from jaxvae.report import read_metrics
from jaxvae.runs import load_run, nonfinite
from jaxvae.runs.engine import Engine
from jaxvae.training import NonFiniteError

TRAIN = Path(__file__).resolve().parents[2] / "experiments" / "train.py"

STEPS, BAD_STEP = 40, 8


def batch_ids():
    """`[steps, B]` of digits in batches of 128, by the order alone."""
    ids, weights = BatchOrder(rng.root(0), 1297, 128).block(0)
    return [one[weight > 0].tolist() for one, weight in zip(np.asarray(ids), np.asarray(weights))]


@pytest.fixture
def spoilt(monkeypatch):
    """The KL of one training image is infinite; its number."""
    number = batch_ids()[BAD_STEP - 1][3]
    image = jnp.asarray(load("digits", None).train.x[number], jnp.float32) / 255

    def objective(params, key, x, *, weights, **options):
        loss, terms = elbo_loss(params, key, x, weights=weights, **options)
        infinite = jnp.where((x == image).all(axis=(1, 2, 3)), jnp.inf, 0.0)
        return loss + weighted_mean(infinite, weights), terms._replace(kl=terms.kl + infinite)

    monkeypatch.setattr(options_of(elbo_loss), "function", staticmethod(objective))
    return number


OPTIONS = {"likelihood": "normal_shared", "checkpoint_every": 5, "log_every": 10}


def summary(run_dir):
    return json.loads((run_dir / "summary.json").read_text())


def test_a_run_stops_at_the_step_and_goes_on_without_it(scripts, small, capsys, spoilt):
    stopped = small(**OPTIONS)
    assert scripts["train"].main(stopped) == 3
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith(f"error: step {BAD_STEP}: not finite: kl, on examples ")
    assert "the checkpoint of step 5 is kept" in error
    assert "--on-nonfinite skip" in error
    report = json.loads((stopped.run_dir / "nonfinite.json").read_text())
    assert report == {"step": BAD_STEP, "terms": ["kl"], "seed": 0, "example_ids": batch_ids()[BAD_STEP - 1]}
    assert load_run(stopped.run_dir).step == 5
    assert not (stopped.run_dir / "summary.json").exists()

    assert scripts["train"].main(small(on_nonfinite="skip", **OPTIONS)) == 0
    assert summary(stopped.run_dir)["skipped_steps"] == num_bad_steps(spoilt) >= 3
    assert np.isfinite(summary(stopped.run_dir)["test_elbo"])
    assert not (stopped.run_dir / "nonfinite.json").exists()


def num_bad_steps(number):
    return sum(number in ids for ids in batch_ids()[:STEPS])


@pytest.mark.slow
def test_interrupted_it_ends_like_one_that_was_not(scripts, small, tmp_path, spoilt):
    for name, parts in {"whole": (STEPS,), "parts": (20, STEPS)}.items():
        for steps in parts:
            config = small(run_dir=tmp_path / name, steps=steps, on_nonfinite="halve-lr", **OPTIONS)
            assert scripts["train"].main(config) == 0
    one, other = (summary(tmp_path / name) for name in ("whole", "parts"))
    assert one["params_sha256"] == other["params_sha256"]
    skipped = num_bad_steps(spoilt)
    assert one["skipped_steps"] == other["skipped_steps"] == skipped
    records = [record for record in read_metrics(tmp_path / "whole" / "metrics.jsonl") if record["split"] == "train"]
    assert records[-1]["skipped_steps"] == skipped
    assert all(np.isfinite(record["loss"]) for record in records)
    assert records[-1]["learning_rate"] == pytest.approx(1e-3 / 2**skipped)


@pytest.mark.slow
def test_an_overflow_in_the_optimizer_is_left_out_to_the_end(scripts, small, capsys):
    """The gradient is finite, its square in Adam's second moment is not."""
    config = small(learning_rate=100.0, latent_dim=2)
    assert scripts["train"].main(config) == 3
    assert "optimizer state" in capsys.readouterr().err
    config = given(config, run_dir=config.run_dir.with_name("skip"), on_nonfinite="skip")
    assert scripts["train"].main(config) == 0
    assert summary(config.run_dir)["skipped_steps"] > 0


@pytest.mark.parametrize(
    ("options", "remedies"),
    [
        ({}, "lower --learning-rate, give --clip-norm, or go on with --on-nonfinite skip or halve-lr"),
        ({"clip_norm": 1.0}, "lower --learning-rate, lower --clip-norm, or go on with --on-nonfinite skip or halve-lr"),
        ({"on_nonfinite": "skip"}, "lower --learning-rate, or give --clip-norm"),
    ],
)
def test_no_remedy_is_named_that_is_given_already(tmp_path, capsys, options, remedies):
    config = given(run_dir=tmp_path, **options)
    engine = Engine(None, None, lambda step: np.array([[7]]))
    assert nonfinite.report(config, engine, [5], NonFiniteError(8, ["kl"])) == 3
    assert capsys.readouterr().err.endswith(f"the checkpoint of step 5 is kept: {remedies}\n")


@pytest.mark.slow
def test_with_a_learning_rate_out_of_all_proportion_the_process_ends_with_code_3(tmp_path):
    options = ["--learning-rate", "1e30", "--seeds", "2", "--steps", "300", "--hidden", "16", "--no-tensorboard"]
    options += ["--num-processes", "1", "--devices", "1", "--run-dir", str(tmp_path / "run")]
    result = subprocess.run([sys.executable, str(TRAIN), *options], capture_output=True, text=True)
    assert result.returncode == 3, result.stderr
    assert "error: step 2 with seed 0: not finite: kl, log_likelihood, gradient, on examples " in result.stderr
    assert "there is no checkpoint yet" in result.stderr
    assert "Traceback" not in result.stderr
