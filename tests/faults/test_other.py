"""Two processes, another place, another time, other options."""

import dataclasses
import os
import signal
import socket
import time

import pytest
from jaxvae.runs.config import MAY_CHANGE, identity

from jaxvae.runs import TrainConfig, load_run, lock

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
        assert train.main(dataclasses.replace(resumed, run_dir="moved", tensorboard=True)) == 0
        monkeypatch.undo()
        assert_nothing_is_lost(tmp_path / "moved")


OTHER = {
    "preset": "conv_vae",
    "dataset": "mnist",
    "data_dir": "elsewhere",
    "train_examples": 99,
    "run_dir": "elsewhere",
    "seeds": 2,
    "epochs": 2.0,
    "clip_norm": 1.0,
    "ema_decay": 0.9,
    "precision": "bfloat16",
    "on_nonfinite": "skip",
    "latent_dim": 7,
    "hidden": (7,),
    "upper_latent_dims": (7,),
    "upper_hidden": (7,),
    "channels": (7,),
    "posterior": "delta",
    "likelihood": "mse",
    "beta": 2.0,
    "corruption": "noise",
    "binarize": "none",
    "decay": "cosine",
}


def other(field):
    """Another value than the default."""
    if field.name in OTHER:
        return OTHER[field.name]
    if field.name == "compute":
        return dataclasses.replace(TrainConfig().compute, devices=3)
    value = getattr(TrainConfig(), field.name)
    return not value if isinstance(value, bool) else "other" if value is None else value + 1


@pytest.mark.parametrize("field", dataclasses.fields(TrainConfig), ids=lambda field: field.name)
def test_only_what_does_not_decide_the_numbers_may_change(field):
    changed = identity(dataclasses.replace(TrainConfig(), **{field.name: other(field)})) != identity(TrainConfig())
    assert changed == (field.name not in MAY_CHANGE)


@pytest.mark.slow
def test_other_options_are_refused(fault, command, resumed):
    with fault("other options: refused and named"):
        code, _, error = command(dataclasses.replace(resumed, batch_size=16, beta=2.0))
        assert code == 2
        assert f"error: run-dir: {resumed.run_dir} holds a run with other batch_size 32 there, 16 here" in error
        assert "beta 1.0 there, 2.0 here. Name another --run-dir, or give the same options" in error


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
