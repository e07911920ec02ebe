"""The loop: when hooks are called, what they see, and where it stops."""

import json
import time

import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae.training import Hook, NonFiniteError, Progress, loop, train
from jaxvae.training.nonfinite import Faults
from jaxvae.types import Chunk, TrainState

WEIGHTS = np.array([[1.0, 1.0, 0.0]], np.float32)


def count(state, chunk):
    """A step whose loss is its own number, over as many examples as the batch has."""
    step = state.step + chunk.num_steps
    return state._replace(step=step), {"loss": step.astype(jnp.float32), "examples": jnp.float32(chunk.weights.sum())}


def run(num_steps, hooks=(), first_step=0, **options):
    state = TrainState(jnp.int32(first_step), None, None, None)
    chunks = [Chunk(None, WEIGHTS, None, 0, 1) for _ in range(first_step, num_steps)]
    return train(state, count, chunks, num_steps=num_steps, hooks=hooks, **options)


@pytest.mark.parametrize(
    ("first_step", "every", "num_steps", "expected"),
    [(0, 3, 9, [3, 6, 9]), (0, 3, 10, [3, 6, 9, 10]), (4, 3, 8, [6, 8]), (0, 100, 2, [2])],
)
def test_hooks_are_called_at_multiples_and_at_the_end(first_step, every, num_steps, expected):
    called = []
    state, _ = run(num_steps, [Hook(every, lambda state, _: called.append(int(state.step)))], first_step)
    assert called == expected
    assert state.step == num_steps


def test_hooks_are_called_in_order():
    called = []
    run(2, [Hook(1, lambda *_: called.append("log")), Hook(2, lambda *_: called.append("save"))])
    assert called == ["log", "log", "save"]


def test_metrics_are_averages_since_last_asked():
    seen = []
    run(6, [Hook(3, lambda _, progress: seen.append(progress.take_metrics()))])
    assert seen == [{"loss": pytest.approx(2.0)}, {"loss": pytest.approx(5.0)}]


def test_stopping_ends_there_and_calls_no_hook_that_is_not_due():
    called = []
    hooks = [Hook(every, lambda state, _, every=every: called.append((every, int(state.step)))) for every in (2, 3)]
    state, _ = run(100, hooks, should_stop=lambda: bool(called))
    assert called == [(2, 2), (3, 3)]
    assert state.step == 3


@pytest.mark.parametrize("stop", range(1, 7))
def test_an_average_goes_on_where_it_was_interrupted(stop):
    whole, parts = [], []
    run(7, [Hook(7, lambda _, progress: whole.append(progress.take_metrics()))])
    _, progress = run(stop)
    pending = json.loads(json.dumps(progress.pending()))
    run(7, [Hook(7, lambda _, progress: parts.append(progress.take_metrics()))], first_step=stop, pending=pending)
    assert parts == whole == [{"loss": 4.0}]


def test_nothing_to_do_does_nothing():
    called = []
    state, progress = run(5, [Hook(1, lambda *_: called.append(1))], first_step=5)
    assert called == []
    assert state.step == 5
    assert progress.examples_per_second is None, "nothing is known of it, which is not 0"


@pytest.mark.parametrize("compiled", [False, True])
def test_throughput_counts_real_examples_without_a_first_step_that_compiles(compiled):
    _, progress = run(11, compile=(lambda state, chunk: None) if compiled else None)
    assert progress.examples == (11 if compiled else 10) * 2
    assert progress.examples_per_second == pytest.approx(progress.examples / progress.seconds)
    assert progress.first_run_at is not None


def test_compiling_takes_no_time_of_a_step():
    called = []

    def compile(state, chunk):
        called.append((int(state.step), chunk.num_steps))
        time.sleep(0.5)

    _, progress = run(1, compile=compile)
    assert called == [(0, 1)]
    assert 0 < progress.seconds < 0.4
    assert progress.examples_per_second > 2 / 0.4


def test_progress_is_told_when_steps_begin_and_where_hooks_are_due():
    told = []
    run(9, [Hook(3, lambda *_: None)], first_step=2, note=told.append, compile=lambda *_: told.append("compiled"))
    assert told == ["compiled", 2, 3, 6, 9]


def test_progress_of_slow_steps_is_told_at_every_step(monkeypatch):
    monkeypatch.setattr(loop, "SECONDS_BETWEEN_NOTES", 0.0)
    told = []
    run(4, note=told.append)
    assert told == [0, 0, 1, 2, 3, 4]


def test_metrics_of_several_seeds_are_averaged_seed_by_seed():
    progress = Progress()
    progress.add({"loss": jnp.array([1.0, 10.0]), "kl": jnp.array([[1.0], [3.0]]), "examples": jnp.array([3.0, 3.0])})
    progress.add({"loss": jnp.array([5.0, 50.0]), "kl": jnp.array([[5.0], [7.0]]), "examples": jnp.array([1.0, 1.0])})
    assert progress.take_metrics() == {"loss": [2.0, 20.0], "kl": [[2.0], [4.0]]}
    progress.stop_clock()
    assert progress.examples == 2.0, "the first run compiles and is not counted"


def test_there_is_no_average_over_no_examples():
    progress = Progress()
    progress.add({"loss": jnp.zeros(2), "kl": jnp.zeros((2, 3)), "examples": jnp.array([0.0, 4.0])})
    metrics = progress.take_metrics()
    np.testing.assert_array_equal(metrics["loss"], [np.nan, 0.0])
    np.testing.assert_array_equal(metrics["kl"], [[np.nan] * 3, [0.0] * 3])


def test_no_hook_sees_a_state_that_a_bad_step_left():
    """Steps report what was not finite; it is read where hooks are due, before they are called."""

    def count_and_fail(state, chunk):
        state, metrics = count(state, chunk)
        bad = (state.step >= 3).astype(jnp.int32)
        return state, {**metrics, "faults": Faults(bad, state.step, {"loss": bad > 0})}

    called = []
    hook = Hook(2, lambda state, _: called.append(int(state.step)))
    state = TrainState(jnp.int32(0), None, None, None)
    with pytest.raises(NonFiniteError, match="step 3: loss not finite"):
        train(state, count_and_fail, [Chunk(None, WEIGHTS, None, 0, 1)] * 9, num_steps=9, hooks=[hook])
    assert called == [2]
