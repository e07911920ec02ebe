"""SIGTERM and Ctrl-C: a clean end at any moment, one line, the right exit code, and a run that goes on."""

import functools
import os
import signal

import pytest
from breaking import at_call

from jaxvae import checkpoint
from jaxvae.options import given
from jaxvae.report import figures
from jaxvae.runs import experiment, seeds, training
from jaxvae.training import loop

pytestmark = [pytest.mark.faults, pytest.mark.slow]

BEFORE_AND_AFTER_TRAINING = {
    "loading": (experiment, "load"),
    "compiling": (experiment, "build_engine"),
    "drawing": (figures, "save_grid"),
    "summarizing": (training, "summarize"),
}
WHILE_TRAINING = {
    "a step": (loop.Progress, "add"),
    "an evaluation": (seeds, "evaluate_split"),
    "a save": (checkpoint, "_write_state"),
}
SIGNALS = {"Ctrl-C": signal.SIGINT, "SIGTERM": signal.SIGTERM}


def break_at(patch, place, number, call=1):
    holder, name = place
    patch.setattr(holder, name, at_call(call, functools.partial(os.kill, os.getpid(), number), getattr(holder, name)))


def test_while_it_trains_a_run_is_saved_first(fault, rounds, command, broken, monkeypatch, assert_nothing_is_lost):
    assert rounds(0)
    for name, number in SIGNALS.items():
        for moment, place in WHILE_TRAINING.items():
            with fault(f"{name} in {moment}: saved, one line, resumed"):
                with monkeypatch.context() as patch:
                    break_at(patch, place, number)
                    code, output, _ = command(broken)
                assert code == 128 + number
                (line,) = [line for line in output.splitlines() if line.startswith("stopped")]
                assert line.endswith(f"saved in {broken.run_dir}: run the same command again to go on")
                code, output, _ = command(broken)
                assert code == 0
                step = line.split()[3].rstrip(",")
                assert f"resuming {broken.run_dir} from step {step}" in output, "no step was lost"
                assert_nothing_is_lost(broken.run_dir)
                broken.run_dir.rename(broken.run_dir.with_name(f"{name} in {moment}"))


def test_before_and_after_there_is_nothing_to_save(fault, few, command, broken, monkeypatch, assert_nothing_is_lost):
    for name, number in few(SIGNALS.items(), 1):
        moments = few(BEFORE_AND_AFTER_TRAINING.items(), 1)
        broken = given(broken, figures="drawing" in dict(moments))
        with fault(f"{name} before or after training: one line, resumed", times=len(moments)):
            for _, place in moments:
                with monkeypatch.context() as patch:
                    break_at(patch, place, number)
                    assert command(broken)[::2] == (128 + number, f"stopped by {number.name}")
            assert command(broken)[0] == 0
            assert_nothing_is_lost(broken.run_dir)
            broken.run_dir.rename(broken.run_dir.with_name(name))


def test_a_second_ctrl_c_stops_at_once(fault, command, broken, monkeypatch, assert_nothing_is_lost):
    with fault("Ctrl-C twice: stopped at once, one line, resumed"):
        with monkeypatch.context() as patch:
            break_at(patch, WHILE_TRAINING["a step"], signal.SIGINT, call=13)
            break_at(patch, WHILE_TRAINING["a save"], signal.SIGINT, call=2)
            assert command(broken)[::2] == (130, "stopped by SIGINT")
        code, output, _ = command(broken)
        assert code == 0
        assert f"resuming {broken.run_dir} from step 10" in output
        assert_nothing_is_lost(broken.run_dir)


def test_real_processes(fault, rounds, start, command, broken, assert_nothing_is_lost):
    assert rounds(0)
    for name, number in SIGNALS.items():
        with fault(f"{name} to a process: saved, one line, resumed"):
            process = start(broken, number.name, "jaxvae.training.loop:Progress.add", 5, 0)
            output, errors = process.communicate(timeout=240)
            assert process.returncode == 128 + number, errors
            assert f"stopped at step 5, saved in {broken.run_dir}: run the same command again" in output
            assert "Traceback" not in errors
            assert command(broken)[0] == 0
            assert_nothing_is_lost(broken.run_dir)
            broken.run_dir.rename(broken.run_dir.with_name(name))
