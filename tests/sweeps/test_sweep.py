"""Sweeps by Optuna itself: shared by processes, tried again after a kill, pruned; with their numbers and picture."""

import json
import re
import signal
import subprocess
import sys
import time

import numpy as np
import optuna
import pytest

from jaxvae.commands.sweep import SweepConfig, report
from jaxvae.errors import InputError
from jaxvae.options.command_line import parse
from jaxvae.sweeps import study as studies
from jaxvae.sweeps.search import parse_search
from jaxvae.sweeps.study import Settings, Stopped, open_study
from jaxvae.sweeps.trials import best_bound, make_objective

SEARCH = ["learning_rate=1e-3:1e-1:log", "latent_dim=1,2"]


@pytest.fixture
def data(tmp_path):
    draw = np.random.default_rng(0)
    x = draw.normal(size=(100, 5)) @ draw.normal(size=(5, 5))
    np.savez(tmp_path / "mine.npz", x=x.astype(np.float32))
    return tmp_path / "mine.npz"


def fixed(data, **options):
    small = {"steps": 20, "log_every": 5, "checkpoint_every": 5, "hidden": 4, "batch_size": 20, "devices": 1}
    return [f"{name}={value}" for name, value in {"dataset": data, **small, **options}.items()]


def asked(trial):
    """A bound that is best at a learning rate of 0.01, and needs no training."""
    rate = trial.suggest_float("learning_rate", 1e-4, 1e-1, log=True)
    return -abs(np.log10(rate) + 2)


def test_the_same_seed_chooses_the_same_and_a_search_ends_at_its_number(opened, tmp_path):
    found = []
    for name, numbers in (("a", (2, 5)), ("b", (5,))):
        for number in numbers:  # the second call goes on with what is there
            study = opened(tmp_path / name)
            studies.search(study, asked, number, seed=3)
        found.append([trial.params for trial in study.trials])
    assert found[0] == found[1]
    assert len(found[0]) == 5


def test_of_two_processes_that_begin_the_last_trial_one_withdraws(opened, tmp_path, monkeypatch):
    study, other = opened(tmp_path), opened(tmp_path)
    counted = studies._begun

    def another_begins(*arguments):
        counts = counted(*arguments)
        if not other.trials:  # after this process has counted, and before it begins its own
            other.optimize(asked, n_trials=1)
        return counts

    monkeypatch.setattr(studies, "_begun", another_begins)
    studies.search(study, lambda trial: pytest.fail("one too many"), 1, seed=0)
    assert [trial.state.name for trial in study.trials] == ["COMPLETE", "FAIL"]


def test_one_that_is_interrupted_waits_and_is_tried_again_with_its_own_values(opened, tmp_path):
    study, tried = opened(tmp_path), []

    def once_interrupted(trial):
        value = asked(trial)
        tried.append((trial.params, studies.run_name(trial)))
        if len(tried) == 1:
            raise Stopped(143)
        return value

    with pytest.raises(Stopped):
        studies.search(study, once_interrupted, 2, seed=0)
    studies.search(study, once_interrupted, 2, seed=0)
    assert tried[1] == tried[0], "the same values in the same folder"
    assert tried[2] != tried[0]
    assert [trial.state.name for trial in study.trials] == ["FAIL", "COMPLETE", "COMPLETE"]


def test_a_trial_is_judged_by_its_best_bound_on_validation_data_and_pruned_by_it(data, opened, tmp_path):
    words = parse(SweepConfig, ["--folder", "x", "--fixed", *fixed(data), "--search", *SEARCH]).words()
    objective = make_objective(words, parse_search(SEARCH), tmp_path)
    study = opened(tmp_path)
    studies.search(study, objective, 1, seed=0)
    run_dir = tmp_path / "trial-0000"
    lines = [json.loads(line) for line in (run_dir / "metrics.jsonl").read_text().splitlines()]
    bounds = {line["step"]: line["elbo"] for line in lines if line["split"] == "validation"}
    assert study.best_value == best_bound(run_dir) == max(bounds.values())
    assert study.trials[0].intermediate_values == bounds
    study.pruner = optuna.pruners.ThresholdPruner(lower=1e6)  # below which every bound is
    studies.search(study, objective, 2, seed=0)
    assert study.trials[1].state.name == "PRUNED"
    assert [*study.trials[1].intermediate_values] == [5], "stopped at its first evaluation"
    assert not (tmp_path / "trial-0001" / "summary.json").exists()


def test_the_report_has_the_best_first_and_says_what_matters(opened, tmp_path, capsys):
    study = opened(tmp_path)

    def two_options(trial):
        return asked(trial) + 1e-3 * trial.suggest_int("latent_dim", 1, 9)

    studies.search(study, two_options, 8, seed=0)
    assert report(study, tmp_path) == 0
    head, first, second, *_ = lines = capsys.readouterr().out.splitlines()
    assert head.split() == ["run", "bound", "learning_rate", "latent_dim"]
    assert float(first.split()[1]) >= float(second.split()[1])
    assert any(line.startswith("importance: learning_rate ") for line in lines)
    assert f"the best is {tmp_path / first.split()[0]}" in lines[-2]
    assert (tmp_path / "sweep.png").stat().st_size > 1000


@pytest.mark.slow
def test_processes_share_a_study_and_one_that_is_killed_loses_no_trial(data, opened, tmp_path):
    folder = tmp_path / "sweep"
    words = [
        "--folder",
        folder,
        "--fixed",
        *fixed(data, steps=100, checkpoint_every=10, log_every=10, patience=0),
        "--search",
        *SEARCH,
    ]
    command = [sys.executable, "-m", "jaxvae", "sweep", *words, "--trials", "3", "--heartbeat", "1", "--no-prune"]

    def start():
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        return subprocess.Popen([*map(str, command)], **pipes)

    with start() as killed:
        checkpoints = folder / "trial-0000" / "checkpoints"
        while killed.poll() is None and not [*checkpoints.glob("[0-9]*[0-9]")]:
            time.sleep(0.1)
        killed.send_signal(signal.SIGKILL)
    assert not (folder / "trial-0000" / "summary.json").exists()
    with start() as one, start() as other:
        outputs = [process.communicate(timeout=500)[0] for process in (one, other)]
    assert (one.returncode, other.returncode) == (0, 0), outputs
    trials = opened(folder).trials
    tried = [trial for trial in trials if studies.RUN in trial.user_attrs]  # one may have been begun and withdrawn
    # A machine that stands still for ten seconds makes living trials look dead: they are tried again too.
    complete = [studies.run_name(trial) for trial in tried if trial.state.name == "COMPLETE"]
    assert len(complete) == 3
    assert {*complete} == {studies.run_name(trial) for trial in tried}
    first, *_, again = (trial for trial in tried if studies.run_name(trial) == "trial-0000")
    assert (first.state.name, again.state.name) == ("FAIL", "COMPLETE")
    assert again.params == first.params
    steps = [json.loads(line)["step"] for line in (folder / "trial-0000" / "metrics.jsonl").read_text().splitlines()]
    assert sorted(steps) == sorted([*range(10, 101, 10)] * 2), "it went on with its own run: no line is lost or twice"
    told = {name for text in outputs for name in re.findall(r"(trial-\d+): \S+ nats", text)}
    assert told == {*complete}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--search beta", "search: 'beta' has no value"),
        ("--search beta=1:2 --fixed run_dir=a", "fixed: run_dir is each trial's own; leave it out"),
        ("--search beta=1:2 --trials 0", "trials: must be at least 1, got 0"),
        ("--search beta=1:2 --at-once 0", "at-once: must be at least 1, got 0"),
    ],
)
def test_mistakes_are_one_line(words, message):
    with pytest.raises(InputError, match=f"^{message}"):
        parse(SweepConfig, ["--folder", "x", *words.split()])


def test_a_database_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(InputError, match=r"^storage: sqlite:////none/study\.db cannot be opened \("):
        open_study(Settings("sqlite:////none/study.db")).__enter__()
