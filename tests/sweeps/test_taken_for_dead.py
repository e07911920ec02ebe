"""Trials of a living process that another one took for dead, because no sign of life came in time."""

from types import SimpleNamespace

import numpy as np
import optuna
import pytest

from jaxvae.runs import lock
from jaxvae.sweeps import study as studies
from jaxvae.sweeps import trials
from jaxvae.sweeps.study import Stopped
from jaxvae.sweeps.trials import make_objective

FAIL = optuna.trial.TrialState.FAIL


@pytest.fixture
def shared(opened, tmp_path):
    """A study, and a function by which another process takes a trial of it for dead."""
    study, other = opened(tmp_path), opened(tmp_path)

    def take(trial):
        other._storage.set_trial_state_values(other.trials[trial.number]._trial_id, FAIL)
        with pytest.warns(optuna.exceptions.ExperimentalWarning):
            optuna.storages.RetryHeartbeatStaleTrialCallback()(other, other.trials[trial.number])

    return study, take


@pytest.mark.parametrize("also_reports", [False, True])
def test_the_search_goes_on_and_the_trial_ends_when_it_is_tried_again(shared, also_reports):
    study, take = shared
    tried = []

    def objective(trial):
        tried.append((studies.run_name(trial), trial.suggest_float("beta", 0, 1)))
        if len(tried) == 1:
            take(trial)
            if also_reports:
                trial.report(1.0, 5)
        return 7.0

    studies.search(study, objective, 1, seed=0)
    assert tried[0] == tried[1]
    assert [trial.state.name for trial in study.trials] == ["FAIL", "COMPLETE"]


def test_one_that_is_interrupted_then_waits_once(shared):
    study, take = shared

    def objective(trial):
        take(trial)
        raise Stopped(143)

    with pytest.raises(Stopped):
        studies.search(study, objective, 1, seed=0)
    assert [trial.state.name for trial in study.trials] == ["FAIL", "WAITING"]


def test_errors_are_raised_as_ever(opened, tmp_path):
    def objective(trial):
        raise ValueError("of its own")

    with pytest.raises(ValueError, match="of its own"):
        studies.search(opened(tmp_path), objective, 1, seed=0)


def test_it_is_tried_again_once_the_living_process_trains_it_no_more(opened, tmp_path, monkeypatch):
    np.savez(tmp_path / "mine.npz", x=np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32))
    run_dir, waited = tmp_path / "trial-0000", []
    run_dir.mkdir()
    held = lock.hold(run_dir)
    held.__enter__()

    def wait(seconds):
        waited.append(seconds)
        if len(waited) == 2:
            held.__exit__(None, None, None)

    monkeypatch.setattr(trials, "time", SimpleNamespace(sleep=wait))  # threads of others sleep too
    words = ["--dataset", str(tmp_path / "mine.npz"), "--steps", "2", "--hidden", "4", "--batch-size", "8"]
    objective = make_objective([*words, "--devices", "1"], {}, tmp_path)
    study = opened(tmp_path)
    studies.search(study, objective, 1, seed=0)
    assert waited == [studies.POLL_SECONDS] * 2
    assert [trial.state.name for trial in study.trials] == ["COMPLETE"]
