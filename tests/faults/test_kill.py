"""kill -9, again and again: the run ends bit for bit as if nobody had touched it, and no line of metrics is lost."""

import random
import time

import pytest

from jaxvae.options import given

pytestmark = [pytest.mark.faults, pytest.mark.slow]

LAST_CALL_AND_DELAY = {  # of a function in which a process is killed: at which call at the latest, how long after it
    "a step": ("jaxvae.training.loop:Progress.add", 10, 0.01),
    "a save": ("jaxvae.checkpoint:_write_state", 1, 0.1),
    "the sealing of a checkpoint": ("jaxvae.checkpoint:_file_digests", 2, 0.002),
    "the removal of an old checkpoint": ("jaxvae.checkpoint:_remove", 2, 0.002),
    "an evaluation": ("jaxvae.runs.seeds:evaluate_split", 2, 0.05),
    "a line of metrics": ("jaxvae.report.metrics:MetricsWriter.write", 3, 0),
    "the opening of the run directory": ("jaxvae.report.metrics:write_whole", 2, 0.001),
    "the dropping of lines of metrics": ("jaxvae.report.metrics:MetricsWriter.__init__", 1, 0.001),
    "a figure": ("jaxvae.report.figures:save_grid", 1, 0.1),
}


@pytest.fixture
def ends_undisturbed(train, assert_nothing_is_lost):
    """Goes on with a run to its end, where nothing is lost; the same options for a fresh one."""

    def check(config, number):
        assert train.main(config) == 0
        assert_nothing_is_lost(config.run_dir)
        return given(config, run_dir=config.run_dir.with_name(f"after-{number}"))

    return check


def was_killed(process):
    """Whether it was, or had come to its end before."""
    _, errors = process.communicate(timeout=240)
    assert process.returncode in (0, -9), errors
    return process.returncode == -9


def test_a_run_killed_at_any_moment_ends_as_if_it_had_not_been(fault, rounds, start, broken, ends_undisturbed):
    kills = rounds(1)
    broken = given(broken, figures=kills > 1)
    draw = random.Random(kills)
    for number in range(kills):
        moment = list(LAST_CALL_AND_DELAY)[number % len(LAST_CALL_AND_DELAY)]
        function, last_call, delay = LAST_CALL_AND_DELAY[moment]
        kind = "TORN" if moment == "a line of metrics" else "SIGKILL"
        with fault(f"kill -9 in {moment}, resumed"):
            if not was_killed(start(broken, kind, function, draw.randint(1, last_call), draw.uniform(0, delay))):
                broken = ends_undisturbed(broken, number)
                assert was_killed(start(broken, kind, function, 1, 0)), "a fresh run comes to every moment"
            if number == kills - 1:
                ends_undisturbed(broken, "the last")


def test_a_run_killed_blindly_ends_as_if_it_had_not_been(fault, rounds, start, broken, ends_undisturbed):
    kills, broken = rounds(0), given(broken, figures=True)
    draw = random.Random(kills)

    def kill():
        lock, process = broken.run_dir / "lock", start(broken)
        while process.poll() is None and not (lock.exists() and f"process {process.pid} on" in lock.read_text()):
            time.sleep(0.01)
        time.sleep(draw.uniform(0, 4))
        process.kill()
        return was_killed(process)

    for number in range(kills):
        with fault("kill -9 at a random time, resumed"):
            while not kill():
                broken = ends_undisturbed(broken, f"{number}-{time.monotonic_ns()}")
            if number == kills - 1:
                ends_undisturbed(broken, "the last")
