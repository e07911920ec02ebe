"""Two processes, another place, another time, other options."""

import dataclasses
import os
import signal
import socket
import time
from pathlib import Path

import pytest

from jaxvae.options import Compute, Output, given
from jaxvae.options.identity import identity
from jaxvae.options.names import options, replace
from jaxvae.options.recipe import AXES
from jaxvae.runs import load_run, lock

pytestmark = pytest.mark.faults


@pytest.mark.slow
def test_the_second_process_is_refused(fault, rounds, start, command, broken, assert_nothing_is_lost):
    assert rounds(0)
    with fault("two processes on one run directory: the second refused, the lock gone with the first"):
        first = start(broken, "SIGSTOP", "jaxvae.training.loop:Progress.add", 15, 0)
        os.waitid(os.P_PID, first.pid, os.WSTOPPED)
        before = {path: path.read_bytes() for path in broken.run_dir.rglob("*") if path.is_file()}
        code, _, error = command(broken)
        assert code == 2
        assert error == (
            f"error: run-dir: {broken.run_dir} is being trained by process {first.pid} on {socket.gethostname()}; "
            "wait for its end, or name another --run-dir"
        )
        assert {path: path.read_bytes() for path in broken.run_dir.rglob("*") if path.is_file()} == before
        assert load_run(broken.run_dir).step == 10, "who only reads may"
        first.send_signal(signal.SIGKILL)
        first.communicate()
        assert command(broken)[0] == 0
        assert_nothing_is_lost(broken.run_dir)


@pytest.mark.slow
def test_who_is_refused_changes_nothing(command, resumed):
    with lock.hold(resumed.run_dir):
        before = {path: path.read_bytes() for path in resumed.run_dir.rglob("*") if path.is_file()}
        code, _, error = command(resumed)
        assert code == 2
        assert f"is being trained by process {os.getpid()} on {socket.gethostname()}; wait for its end" in error
        assert {path: path.read_bytes() for path in resumed.run_dir.rglob("*") if path.is_file()} == before


@pytest.mark.slow
def test_another_place_and_another_time(fault, train, resumed, monkeypatch, tmp_path, assert_nothing_is_lost):
    with fault("run directory moved, clock set back, files of the future: resumed"):
        resumed.run_dir.rename(tmp_path / "moved")
        for number, path in enumerate((tmp_path / "moved").rglob("*")):
            os.utime(path, (0, 4e9 + number))
        monkeypatch.chdir(tmp_path)
        now = time.time
        monkeypatch.setattr(time, "time", lambda: 1e9 - now() / 1e3)
        assert train.main(given(resumed, run_dir=Path("moved"), tensorboard=True)) == 0
        monkeypatch.undo()
        assert_nothing_is_lost(tmp_path / "moved")


OTHER = {
    "networks": "conv",
    "posterior": "delta",
    "prior": "layers",
    "likelihood": "mse",
    "objective": "iwae",
    "corruption": "noise",
    "activation": "tanh",
    "condition": "label",
    "beta": 2.0,
    "decay": "cosine",
    "binarize": "none",
    "columns": "a=real",
    "only": ("1",),
    "precision": "bfloat16",
    "on_nonfinite": "skip",
    "hidden": (3,),
    "dataset": "mnist",
    "train_only": ("prior",),
    "free_bits_of": "total",
    "init_parts": ("encoder",),
}
START = given(preset="vae")
MAY_CHANGE = {"data_dir", "steps", "epochs", "on_nonfinite"}
"""Besides the options of output and compute."""


def other(option):
    """Another value than the default."""
    if option.name in OTHER:
        return OTHER[option.name]
    return not option.value if isinstance(option.value, bool) else "a" if option.value is None else option.value + 1


@pytest.mark.parametrize("option", options(START).values(), ids=lambda option: option.name)
def test_only_what_does_not_decide_the_numbers_may_change(option):
    if option.part in ("output", "compute"):
        return
    changed = identity(replace(START, {option.name: other(option)})) != identity(START)
    assert changed == (option.name not in MAY_CHANGE)


@pytest.mark.parametrize("axis", AXES)
def test_every_choice_decides_the_numbers(axis):
    assert identity(START.choose(axis, OTHER[axis])) != identity(START)


def test_output_and_compute_decide_no_number():
    changed = dataclasses.replace(START, output=Output(run_dir=Path("x"), log_every=3), compute=Compute(devices=2))
    assert identity(changed) == identity(START)


@pytest.mark.slow
def test_other_options_are_refused(fault, command, resumed):
    with fault("other options: refused and named"):
        code, _, error = command(given(resumed, batch_size=16, beta=2.0))
        assert code == 2
        assert f"error: run-dir: {resumed.run_dir} holds a run with other beta 1.0 there, 2.0 here" in error
        assert "batch_size 32 there, 16 here. Name another --run-dir, or give the same options" in error


@pytest.mark.slow
def test_some_options_may_change(fault, rounds, command, resumed):
    assert rounds(0)
    with fault("other options that may change: resumed"):
        changed = dataclasses.replace(
            resumed,
            steps=26,
            log_every=5,
            checkpoint_every=6,
            tensorboard=True,
            figures=True,
            compute=dataclasses.replace(resumed.compute, dispatch="scan"),
        )
        code, output, _ = command(changed)
        assert code == 0
        assert f"resuming {resumed.run_dir} from step 20" in output
