"""Training loop: a plain for loop over chunks of steps, with hooks that see the state from time to time."""

from __future__ import annotations

import functools
import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxvae.training.nonfinite import Faults, check_finite
from jaxvae.training.step import Metrics
from jaxvae.types import Array, Chunk, TrainState


class Hook(NamedTuple):
    """Function called every `every` steps, and after the last one."""

    every: int
    call: Callable[[TrainState, Progress], bool | None]
    """Function of state and progress; a return value of True ends the training with this step."""


SECONDS_BETWEEN_NOTES = 0.5
"""Least time between two reports of progress, at the ends of runs of steps."""


class Progress:
    """Progress of the loop: the metrics since they were last taken, and the time spent in steps alone.

    Args:
        pending: value of `pending` of an interrupted run.
        compiled: True if the program is compiled already, so that the first run is timed too.
        clock: clock of the steps, in seconds.
    """

    def __init__(
        self,
        pending: Mapping[str, Any] | None = None,
        *,
        compiled: bool = False,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._metrics: list[Metrics] = []
        self._faults: list[Faults] = []
        self._sums = {name: np.asarray(value) for name, value in (pending or {}).items()}
        self._timed: list[Array] = []
        self.seconds = 0.0
        self.examples = 0.0
        """Number of examples seen in `seconds`; both exclude a first run that compiles."""
        self.first_run_at: float | None = None
        """Time of the end of the first run, on the clock of `time.time`."""
        self._compiled, self._clock = compiled, clock
        self._started = clock()

    def add(self, metrics: Metrics) -> None:
        """Record one run's metrics, which stay on the device."""
        self._metrics.append({name: value for name, value in metrics.items() if name != "faults"})
        if "faults" in metrics:
            self._faults.append(metrics["faults"])
        timed = self._compiled or self.first_run_at is not None
        if self.first_run_at is None:
            jax.block_until_ready(metrics)
            self.first_run_at = time.time()
        if timed:
            self._timed.append(metrics["examples"])
        else:
            self.start_clock()

    def start_clock(self) -> None:
        """Start or resume the timing of steps."""
        self._started = self._clock()

    def wait(self) -> None:
        """Wait until all running steps are finished."""
        jax.block_until_ready(self._metrics)

    def stop_clock(self) -> None:
        """Pause the timing of steps, after the running ones are finished and counted."""
        self.wait()
        self.seconds += self._clock() - self._started
        self.examples += float(sum(np.sum(jax.device_get(examples)) for examples in self._timed))
        self._timed = []

    def check_finite(self) -> None:
        """Raise a `NonFiniteError` if a step since the last call had a number that is not finite."""
        faults, self._faults = self._faults, []
        check_finite(faults)

    @property
    def examples_per_second(self) -> float | None:
        """Throughput of the training steps alone; None if none was timed."""
        return self.examples / self.seconds if self.examples else None

    def pending(self) -> dict[str, Any]:
        """Return sums over the examples seen since metrics were last taken, as plain numbers for a resumed run."""
        runs, self._metrics = jax.device_get(self._metrics), []
        for name in runs[0] if runs else ():
            values = np.stack([run[name] for run in runs]).astype(np.float64)
            if name != "examples":
                values *= _aligned(np.stack([run["examples"] for run in runs]), values.ndim)
            # Sum one after another, so that an interruption does not change the last bit.
            self._sums[name] = functools.reduce(np.add, values, self._sums.get(name, np.zeros(())))
        return {name: value.tolist() for name, value in self._sums.items()}

    def take_metrics(self) -> dict[str, Any]:
        """Return averages over the examples seen since the last call, NaN where none counted; arrays become lists."""
        self.pending()
        sums, self._sums = self._sums, {}
        examples = sums.pop("examples", np.zeros(()))
        examples = np.where(examples == 0, np.nan, examples)
        return {name: (value / _aligned(examples, value.ndim)).tolist() for name, value in sums.items()}


def _aligned(weights: np.ndarray, ndim: int) -> np.ndarray:
    """Append axes of size 1, to multiply arrays with more axes."""
    return weights.reshape(weights.shape + (1,) * (ndim - weights.ndim))


def train(
    state: TrainState,
    run: Callable[[TrainState, Chunk], tuple[TrainState, Metrics]],
    chunks: Iterable[Chunk],
    *,
    num_steps: int,
    hooks: Sequence[Hook] = (),
    should_stop: Callable[[], bool] = lambda: False,
    pending: Mapping[str, Any] | None = None,
    compile: Callable[[TrainState, Chunk], object] | None = None,
    note: Callable[[int], None] = lambda step: None,
    clock: Callable[[], float] = time.perf_counter,
) -> tuple[TrainState, Progress]:
    """Train from the state's step to `num_steps`.

    Args:
        state: initial state; it is donated.
        run: function that takes all steps of one chunk.
        chunks: consecutive chunks, beginning with the state's step; each ends where a hook is due.
        num_steps: last step.
        hooks: hooks, called in order when `every` divides the number of steps taken, and after the last step.
        should_stop: function called after each chunk; at True the run ends, without the hooks that are not due.
        pending: metrics of an interrupted run that no hook has taken, see `Progress`.
        compile: function that compiles `run` for a state and a chunk, before the clock starts; without it the first run
            compiles, and is not timed.
        note: function called with the first step, then from time to time with the number of steps, for a progress bar.
        clock: clock by which the steps are timed, in seconds.

    Raises:
        NonFiniteError: a step had a number that is not finite; no hook sees the resulting state.
    """
    if compile is not None:
        chunks = _compile_ahead(compile, state, chunks)
    progress = Progress(pending, compiled=compile is not None, clock=clock)
    noted, step = time.perf_counter(), steps_taken(state)
    note(step)
    for chunk in chunks:
        if time.perf_counter() - noted > SECONDS_BETWEEN_NOTES:
            progress.wait()
            note(step)
            noted = time.perf_counter()
        state, metrics = run(state, chunk)
        progress.add(metrics)
        step += chunk.num_steps
        last = step >= num_steps
        stop = last or should_stop()
        due = [hook for hook in hooks if last or step % hook.every == 0]
        if due or stop:
            progress.stop_clock()
            progress.check_finite()
            note(step)
            wishes = [hook.call(state, progress) for hook in due]
            stop = stop or any(wishes)
            progress.start_clock()
        if stop:
            break
    return state, progress


def _compile_ahead(
    compile: Callable[[TrainState, Chunk], object], state: TrainState, chunks: Iterable[Chunk]
) -> Iterator[Chunk]:
    """Compile for the first chunk, and yield all chunks."""
    chunks = iter(chunks)
    first = list(itertools.islice(chunks, 1))
    for chunk in first:
        compile(state, chunk)
    return itertools.chain(first, chunks)


def steps_taken(state: TrainState) -> int:
    """Return the step that a state, or a stack of states, has reached."""
    return int(np.asarray(state.step).reshape(-1)[0])
