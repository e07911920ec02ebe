"""A run whose directory and data are in a store: trained, continued, loaded, and read by commands."""

import io
import json
import re
import tempfile
from pathlib import Path

import numpy as np
import pytest

import jaxvae
from jaxvae import stores
from jaxvae.commands import evaluate, runs, sample, sweep, train
from jaxvae.errors import InputError
from jaxvae.options import Recipe, groups
from jaxvae.options.command_line import parse
from jaxvae.runs import load_run
from jaxvae.runs.command_line import run_script
from jaxvae.stores.store import Store

X = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
SMALL = {"latent_dim": 2, "hidden": (8,), "steps": 6, "batch_size": 10, "log_every": 2, "checkpoint_every": 3}
QUIET = {"track": (), "quiet": True, "figures": False}


@pytest.fixture
def data(bucket, tmp_path, monkeypatch):
    """Address of a data set."""
    monkeypatch.setattr("jaxvae.stores.data.CACHE", tmp_path / "cache")
    held = io.BytesIO()
    np.savez(held, x=X)
    (tmp_path / "mine.npz").write_bytes(held.getvalue())
    Store(bucket).put("sets/mine.npz", tmp_path / "mine.npz")
    return f"{bucket}/sets/mine.npz"


def called(module, config_type, *words):
    with pytest.raises(SystemExit) as stop:
        run_script(module.main, config_type, [str(word) for word in words])
    return stop.value.code


def test_a_run_in_a_store_is_as_one_on_this_disk(bucket, data, tmp_path, capsys):
    place = f"{bucket}/runs/a"
    here = jaxvae.train(
        jaxvae.preset("vae", dataset=str(tmp_path / "mine.npz"), **SMALL, **QUIET), run_dir=tmp_path / "a"
    )
    recipe = jaxvae.preset("vae", dataset=data, **{**SMALL, **QUIET, "quiet": False})
    there = jaxvae.train(recipe, run_dir=place)
    assert there.summary["params_sha256"] == here.summary["params_sha256"]
    assert there.metrics()[-1]["step"] == 6
    assert "lock" not in Store(place).list()

    config = json.loads(Store(place).read("config.json"))
    assert (config["data"]["dataset"], config["output"]["run_dir"]) == (data, place)
    assert jaxvae.load(place).sample(2).shape == (2, 4)
    assert re.search(rf"^folder  {place}$", repr(there), re.MULTILINE)

    capsys.readouterr()
    assert called(evaluate, evaluate.EvaluateConfig, "--run-dir", place, "--num-samples", 10) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"uploaded to {place}: evaluation.json"
    assert json.loads(Store(place).read("evaluation.json"))["step"] == 6

    assert called(sample, sample.SampleConfig, "--run-dir", place) == 0
    output = capsys.readouterr().out
    assert f"in {place}/samples\nuploaded to {place}: samples/" in output
    assert str(tempfile.gettempdir()) not in output

    assert called(runs, runs.RunsConfig, "--folder", f"{bucket}/runs", "--columns", "steps", "test_elbo") == 0
    assert f"{there.summary['test_elbo']:.2f}" in capsys.readouterr().out

    again = jaxvae.train(
        jaxvae.preset("vae", dataset=data, **{**SMALL, **QUIET, "quiet": False, "steps": 9}), run_dir=place
    )
    assert again.step == 9
    assert f"resuming {place} from step 6" in capsys.readouterr().out
    assert load_run(place).step == 9
    with pytest.raises(InputError, match=rf"^run-dir: {place} holds a run with other beta 1.0 there, 2.0 here"):
        jaxvae.train(jaxvae.preset("vae", dataset=data, beta=2.0, **SMALL, **QUIET), run_dir=place)


def test_data_are_fetched_once_for_each_version(data, tmp_path, monkeypatch):
    first = stores.fetched(data)
    np.testing.assert_array_equal(np.load(first)["x"], X)
    with monkeypatch.context() as patch:
        patch.delattr(Store, "fetch")
        assert stores.fetched(data) == first
    np.savez(tmp_path / "other.npz", x=X + 1)
    Store(data.rpartition("/")[0]).put("mine.npz", tmp_path / "other.npz")
    np.testing.assert_array_equal(np.load(stores.fetched(data))["x"], X + 1)
    folder = stores.fetched(data.rpartition("/")[0])
    assert [path.name for path in Path(folder).iterdir()] == ["mine.npz"]
    with pytest.raises(InputError, match=f"^dataset: there is no file or folder at {data}.gz; name another address"):
        stores.fetched(f"{data}.gz")


def test_what_a_store_does_not_do_is_refused_in_one_line(bucket, tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr(groups, "check_installed", lambda *names: None)
    (tmp_path / "summary.json").write_text("{}")
    run_dir = ["--run-dir", f"{bucket}/none"]
    for module, config_type, words, message in (
        (
            sweep,
            sweep.SweepConfig,
            ["--folder", bucket, "--search", "beta=1:2"],
            "folder: s3://.* is in a store, which",
        ),
        (evaluate, evaluate.EvaluateConfig, run_dir, "run-dir: there is nothing at s3://.*/none; name the run"),
        (
            train,
            Recipe,
            [*run_dir, "--reproduce", tmp_path],
            "run-dir: s3://.* is in a store, and runs are compared on",
        ),
        (train, Recipe, ["--run-dir", "az://models/a"], "run-dir: az://models/a is no folder; stores are s3://"),
        (train, Recipe, [*run_dir, "--track", "mlflow"], "track: mlflow .* is in a store; set MLFLOW_TRACKING_URI"),
    ):
        assert called(module, config_type, *words) == 2
        assert re.match(f"error: {message}", capsys.readouterr().err)


def test_several_processes_want_a_shared_disk(bucket, monkeypatch):
    run_dir = parse(Recipe, ["--run-dir", f"{bucket}/run"]).output.run_dir
    monkeypatch.setattr("jax.process_count", lambda: 2)
    with (
        pytest.raises(InputError, match=r"^run-dir: s3://.* is for one process, and 2 train together"),
        stores.training(run_dir),
    ):
        pass
