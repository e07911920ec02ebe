"""Several processes that train as one, over the loopback: their numbers, their files, resuming with more or fewer."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from jaxvae.report import read_metrics
from jaxvae.runs import load_run
from jaxvae.runs.data import load_data
from jaxvae.runs.evaluation import evaluate_split

TRAIN = Path(__file__).resolve().parents[2] / "experiments" / "train.py"
OPTIONS = [
    "--no-tensorboard",
    "--no-figures",
    "--hidden",
    "16",
    "--latent-dim",
    "3",
    "--batch-size",
    "100",
    "--log-every",
    "5",
    "--checkpoint-every",
    "10",
]
ONE_DEVICE = os.environ["XLA_FLAGS"].replace("--xla_force_host_platform_device_count=2", "")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.fixture(autouse=True)
def as_in_a_terminal():
    """Let Ctrl-C through to the processes: a shell's background jobs begin with it ignored, and so would theirs."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def start(run_dir, *arguments, processes, missing=()):
    """Start the processes of one run but those that are missing, each with one device."""
    environment = {**os.environ, "XLA_FLAGS": ONE_DEVICE}
    command = [sys.executable, str(TRAIN), "--run-dir", str(run_dir), *OPTIONS, *arguments]
    together = ["--coordinator", f"127.0.0.1:{free_port()}", "--num-processes", str(processes), "--process-id"]
    return [
        subprocess.Popen(
            [*command, *([] if processes == 1 else [*together, str(number)])],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in set(range(processes)) - set(missing)
    ]


def outputs_of(processes):
    """Wait for all; none is left behind, whatever happens."""
    try:
        return [process.communicate(timeout=240) for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def wait_for_metrics(run_dir):
    deadline = time.time() + 120
    while not read_metrics(run_dir / "metrics.jsonl") and time.time() < deadline:
        time.sleep(0.1)


def finish(processes):
    outputs = outputs_of(processes)
    for process, (_, error) in zip(processes, outputs):
        assert process.returncode == 0, error
    return outputs


def assert_same_numbers(run_dir, other):
    one, two = load_run(run_dir), load_run(other)
    assert one.step == two.step
    flat, other_flat = (np.concatenate([np.ravel(leaf) for leaf in _leaves(run.params)]) for run in (one, two))
    # Adam divides by the root of a squared gradient, which enlarges rounding where gradients are almost 0.
    np.testing.assert_allclose(flat, other_flat, atol=1e-4)
    losses, other_losses = (
        [record["loss"] for record in read_metrics(folder / "metrics.jsonl")] for folder in (run_dir, other)
    )
    np.testing.assert_allclose(losses, other_losses, rtol=1e-5)


def evaluated_here(run_dir):
    """The test ELBO by this process alone."""
    run = load_run(run_dir)
    seed = run.recipe.train.seed
    return evaluate_split(run.model, run.params, load_data(run).test, seed=seed, reports_elbo=True)["elbo"]


def _leaves(tree):
    return [leaf for value in tree.values() for leaf in (_leaves(value) if isinstance(value, dict) else [value])]


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """Twenty steps in one process."""
    run_dir = tmp_path_factory.mktemp("alone")
    finish(start(run_dir, "--steps", "20", processes=1))
    return run_dir


@pytest.mark.slow
@pytest.mark.parametrize(
    ("first", "second", "arguments"),
    [(2, 1, ["--dispatch", "sharded"]), (1, 2, ["--dispatch", "pmap", "--input", "stream"])],
    ids=["two then one, sharded", "one then two, pmap and streamed"],
)
def test_a_run_goes_on_with_another_number_of_processes(alone, tmp_path, first, second, arguments):
    finish(start(tmp_path / "run", "--steps", "10", *(arguments if first == 2 else []), processes=first))
    outputs = finish(start(tmp_path / "run", "--steps", "20", *(arguments if second == 2 else []), processes=second))
    assert_same_numbers(tmp_path / "run", alone)
    steps = [(record["split"], record["step"]) for record in read_metrics(tmp_path / "run" / "metrics.jsonl")]
    assert steps == [(split, step) for split, step in steps if steps.count((split, step)) == 1]
    assert [process[0].count("resuming") for process in outputs] == [1] + [0] * (second - 1)
    elbos = [json.loads((folder / "summary.json").read_text())["test_elbo"] for folder in (tmp_path / "run", alone)]
    assert elbos[0] == pytest.approx(elbos[1], rel=1e-5)
    assert elbos[0] == evaluated_here(tmp_path / "run"), "each process evaluates its part, with the bits of one alone"


@pytest.mark.slow
def test_a_signal_to_one_process_stops_all_at_the_same_step(tmp_path):
    processes = start(tmp_path / "run", "--steps", "1000000", processes=2)
    wait_for_metrics(tmp_path / "run")
    processes[1].send_signal(signal.SIGTERM)
    outputs = outputs_of(processes)
    assert processes[1].returncode == 143, outputs[1][1]
    assert "stopped at step" in outputs[0][0], outputs[0][1]
    stopped_at = int(outputs[0][0].split("stopped at step ")[1].split(",")[0])
    assert load_run(tmp_path / "run", select="last").step == stopped_at


def lines_of(process):
    """Yield lines of a process from standard error as they come, without progress bars."""
    for line in process.stderr:
        if "step/s" not in line and "Gloo" not in line:
            yield line.strip()


@pytest.mark.slow
@pytest.mark.parametrize("there", [0, 1])
def test_a_process_that_waits_to_be_joined_says_for_whom_and_gives_up(tmp_path, there):
    (process,) = start(tmp_path / "run", "--join-timeout", "5", processes=2, missing=[1 - there])
    whom = ["process 1 to join at 127.0.0.1:", "process 0 at 127.0.0.1:"][there]
    _, error = outputs_of([process])[0]
    waiting, end = error.splitlines()
    assert waiting.startswith(f"waiting for {whom}")
    assert waiting.endswith(", up to 5 s")
    assert end.startswith(f"error: waited 5 s in vain for {whom}")
    assert process.returncode == 1


@pytest.mark.slow
@pytest.mark.parametrize(("there", "number"), [(0, signal.SIGINT), (1, signal.SIGTERM)])
def test_a_process_that_waits_to_be_joined_ends_on_a_signal(tmp_path, there, number):
    (process,) = start(tmp_path / "run", processes=2, missing=[1 - there])
    assert next(lines_of(process)).endswith(", up to 300 s")
    process.send_signal(number)
    assert outputs_of([process])[0][1].strip() == f"stopped by {number.name}"
    assert process.returncode == 128 + number


@pytest.mark.slow
def test_a_process_that_waits_for_one_that_stopped_says_so_and_ends_on_signals(tmp_path):
    one, other = start(tmp_path / "run", "--steps", "1000000", processes=2)
    wait_for_metrics(tmp_path / "run")
    other.send_signal(signal.SIGSTOP)
    # Where it stood when the other stopped, in a step or at the barrier of a checkpoint, is chance.
    assert any("waiting for " in line and "process 1" in line and "join" not in line for line in lines_of(one))
    one.send_signal(signal.SIGTERM)  # noted, for the step under way may yet end
    time.sleep(0.5)
    one.send_signal(signal.SIGTERM)
    time.sleep(2.0)
    other.kill()
    outputs_of([one, other])
    assert one.returncode == 143


@pytest.mark.slow
def test_a_process_whose_peer_has_been_killed_ends_with_one_line(tmp_path):
    one, other = start(tmp_path / "run", "--steps", "1000000", processes=2)
    wait_for_metrics(tmp_path / "run")
    other.kill()
    (_, error), _ = outputs_of([one, other])
    assert error.splitlines()[-1].startswith("error: another process has ended: ")
    assert one.returncode == 1
