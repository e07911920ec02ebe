"""kill -9, again and again: the run ends bit for bit as if nobody had touched it, and no line of metrics is lost."""

import dataclasses
import random
import time

import pytest

pytestmark = [pytest.mark.faults, pytest.mark.slow]

LAST_CALL_AND_DELAY = {  # of a function in which a process is killed: at which call at the latest, how long after it
    "a step": ("jaxvae.training.loop:Progress.add", 10, 0.01),
    "a save": ("jaxvae.checkpoint:_write_state", 1, 0.1),
    "the sealing of a checkpoint": ("jaxvae.checkpoint:_file_digests", 2, 0.002),
    "the removal of an old checkpoint": ("jaxvae.checkpoint:_remove", 2, 0.002),
    "an evaluation": ("jaxvae.runs.pieces:evaluate_split", 2, 0.05),
    "a line of metrics": ("jaxvae.report.metrics:MetricsWriter.write", 3, 0),
    "the opening of the run directory": ("jaxvae.report.metrics:write_json", 2, 0.001),
    "the dropping of lines of metrics": ("jaxvae.report.metrics:write_whole", 3, 0.001),
    "a figure": ("jaxvae.report.figures:save_grid", 2, 0.3),
}


def test_a_run_killed_at_any_moment_ends_as_if_it_had_not_been(
    fault, rounds, start, broken, train, assert_nothing_is_lost
):
    kills = rounds(1)
    broken = dataclasses.replace(broken, figures=kills > 1)
    draw = random.Random(kills)
    moments = (list(LAST_CALL_AND_DELAY) * kills)[:kills]
    for number, moment in enumerate(moments):
        function, last_call, delay = LAST_CALL_AND_DELAY[moment]
        kind = "TORN" if moment == "a line of metrics" else "SIGKILL"
        with fault(f"kill -9 in {moment}, resumed"):
            process = start(broken, kind, function, draw.randint(1, last_call), draw.uniform(0, delay))
            _, errors = process.communicate(timeout=240)
            assert process.returncode in (0, -9), errors
            if process.returncode == 0 or number == kills - 1:
                assert train.main(broken) == 0
                assert_nothing_is_lost(broken.run_dir)
                broken = dataclasses.replace(broken, run_dir=broken.run_dir.with_name(f"after-{number}"))


def test_a_run_killed_blindly_ends_as_if_it_had_not_been(fault, rounds, start, broken, train, assert_nothing_is_lost):
    kills, broken = rounds(0), dataclasses.replace(broken, figures=True)
    lock = broken.run_dir / "lock"
    for number in range(kills):
        with fault("kill -9 at a random time, resumed"):
            process = start(broken)
            while process.poll() is None and not (lock.exists() and f"process {process.pid} on" in lock.read_text()):
                time.sleep(0.01)
            time.sleep(random.Random(number).uniform(0, 4))
            process.kill()
            process.communicate()
            if (broken.run_dir / "summary.json").exists() or number == kills - 1:
                assert train.main(broken) == 0
                assert_nothing_is_lost(broken.run_dir)
                broken = dataclasses.replace(broken, run_dir=broken.run_dir.with_name(f"after-{number}"))
                lock = broken.run_dir / "lock"
