"""Trials at once by Optuna itself: each as it is alone, pruned by itself, and tried again after an interruption."""

import json
import os
import signal
import time

import numpy as np
import optuna
import pytest

import jaxvae
from jaxvae.errors import InputError
from jaxvae.report import read_metrics
from jaxvae.sweeps import study as studies
from jaxvae.sweeps.search import fixed_words, parse_search
from jaxvae.sweeps.study import Stopped
from jaxvae.sweeps.trials import make_objective

SEARCH = ["learning_rate=1e-3:1e-2:log", "beta=0.5:2", "weight_decay=0.01:0.1", "seed=0:100"]
SMALL = {"steps": 20, "log_every": 5, "checkpoint_every": 10, "hidden": 4, "latent_dim": 2, "batch_size": 20}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    draw = np.random.default_rng(0)
    x = draw.normal(size=(100, 5)) @ draw.normal(size=(5, 5))
    path = tmp_path_factory.mktemp("data") / "mine.npz"
    np.savez(path, x=x.astype(np.float32))
    return path


def sweep(study, folder, data, num_trials, *, search=SEARCH, at_once=1, **options):
    """Search, and return the study."""
    words = fixed_words(
        f"{name}={value}" for name, value in {"dataset": data, "devices": 1, **SMALL, **options}.items()
    )
    objective = make_objective(words, parse_search(search), folder)
    studies.search(study, objective, num_trials, seed=0, at_once=at_once)
    return study


def numbers(run_dir):
    lines = read_metrics(run_dir / "metrics.jsonl")
    return {(line["split"], line["step"], name): line[name] for line in lines for name in ("loss", "kl")}


def test_each_trial_is_the_run_that_it_is_alone(data, opened, tmp_path, capsys):
    at_once = sweep(opened(tmp_path / "at once"), tmp_path / "at once", data, 3, at_once=3)
    assert capsys.readouterr().out == "trial-0000, trial-0001, trial-0002: trained at once\n"
    alone = sweep(opened(tmp_path / "alone"), tmp_path / "alone", data, 3)
    assert [trial.params for trial in at_once.trials] == [trial.params for trial in alone.trials]
    for trial in at_once.trials:
        one, other = (tmp_path / name / studies.run_name(trial) for name in ("at once", "alone"))
        configs = [json.loads((run / "config.json").read_text()) for run in (one, other)]
        assert {**configs[0], "output": None} == {**configs[1], "output": None}
        found, wanted = numbers(one), numbers(other)
        assert len(found) == 12
        assert found == pytest.approx(wanted, rel=1e-4)
        assert trial.value == pytest.approx(alone.trials[trial.number].value, rel=1e-4)
        summaries = [json.loads((run / "summary.json").read_text()) for run in (one, other)]
        assert summaries[0]["test_elbo"] == pytest.approx(summaries[1]["test_elbo"], rel=1e-4)
        assert jaxvae.load(one).recipe.train.seed == trial.params["seed"]


class Pruner(optuna.pruners.BasePruner):
    """Prunes as a function of the trial says."""

    def __init__(self, says):
        self.says = says

    def prune(self, study, trial):
        return self.says(trial)


@pytest.mark.slow
def test_one_is_pruned_and_others_are_not_finite_while_the_rest_goes_on(data, opened, tmp_path):
    study = opened(tmp_path)
    study.pruner = Pruner(lambda trial: trial.number == 0)
    sweep(study, tmp_path, data, 4, search=["learning_rate=0.01,0.02,1e30"], at_once=4)
    lost = [trial.number for trial in study.trials if trial.params["learning_rate"] == "1e30"]
    assert lost
    assert 0 not in lost
    states = {trial.number: trial.state.name for trial in study.trials}
    assert states == {number: "PRUNED" if number in (0, *lost) else "COMPLETE" for number in range(4)}
    assert [*study.trials[0].intermediate_values] == [10], "stopped at its first evaluation"
    ended = {number for number in range(4) if (tmp_path / f"trial-{number:04d}" / "summary.json").exists()}
    assert ended == {number for number, state in states.items() if state == "COMPLETE"}
    assert all(np.isfinite(study.trials[number].value) for number in ended)


@pytest.mark.slow
def test_those_that_are_interrupted_wait_and_go_on_from_their_checkpoints(data, opened, tmp_path, capsys):
    interrupted = []

    def interrupt(trial):
        if not interrupted:
            noting = signal.getsignal(signal.SIGTERM)  # a background job, as the tests may be, ignores SIGINT
            interrupted.append(os.kill(os.getpid(), signal.SIGTERM))
            while signal.getsignal(signal.SIGTERM) == noting:  # until the main thread has noted it
                time.sleep(0.01)

    study = opened(tmp_path)
    study.pruner = Pruner(interrupt)
    options = {"at_once": 2, "steps": 60, "checkpoint_every": 5, "patience": 0}
    with pytest.raises(Stopped) as stop:
        sweep(study, tmp_path, data, 2, **options)
    assert stop.value.exit_code == 128 + signal.SIGTERM
    assert [trial.state.name for trial in study.trials] == ["FAIL", "FAIL", "WAITING", "WAITING"]
    reached = [max(step for _, step, _ in numbers(tmp_path / f"trial-000{number}")) for number in (0, 1)]
    assert reached[0] == reached[1] < 60
    sweep(study, tmp_path, data, 2, **options)
    assert [trial.state.name for trial in study.trials] == ["FAIL", "FAIL", "COMPLETE", "COMPLETE"]
    assert capsys.readouterr().out == 2 * "trial-0000, trial-0001: trained at once\n"
    for run in (tmp_path / "trial-0000", tmp_path / "trial-0001"):
        steps = [line["step"] for line in read_metrics(run / "metrics.jsonl") if line["split"] == "validation"]
        assert steps == [*range(5, 61, 5)], "it went on with its own run"


def test_a_mistake_in_one_stops_the_others_which_wait(data, opened, tmp_path):
    study = opened(tmp_path)
    with pytest.raises(InputError, match=r"^batch-size: 1000 is more than the 80 training examples"):
        sweep(study, tmp_path, data, 4, search=["batch_size=20,1000"], at_once=4)
    wrong = [trial.params["batch_size"] == "1000" for trial in study.trials[:4]]
    assert 0 < sum(wrong) < 4
    assert [trial.state.name for trial in study.trials] == ["FAIL"] * 4 + ["WAITING"] * (4 - sum(wrong))
