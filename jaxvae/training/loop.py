"""The training loop: a plain for loop over chunks of steps, with hooks that look at the state from time to time."""

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
    """Something done every so many steps, and after the last one."""

    every: int
    call: Callable[[TrainState, Progress], bool | None]
    """True ends the training with this step."""


SECONDS_BETWEEN_NOTES = 0.5
"""Time after which progress is told again, at the end of a run of steps."""


class Progress:
    """What the loop knows at a step: the metrics since it was last asked, and the time spent in steps alone.

    Args:
        pending: what `pending` of an interrupted run told.
        compiled: the first run compiles nothing any more, so that it is timed like any other.
    """

    def __init__(self, pending: Mapping[str, Any] | None = None, *, compiled: bool = False) -> None:
        self._metrics: list[Metrics] = []
        self._faults: list[Faults] = []
        self._sums = {name: np.asarray(value) for name, value in (pending or {}).items()}
        self._timed: list[Array] = []
        self.seconds = 0.0
        self.examples = 0.0
        """Examples seen in `seconds`; a first run that compiles is in neither."""
        self.first_run_at: float | None = None
        """When the first run was done, on the clock of `time.time`."""
        self._compiled = compiled
        self._clock = time.perf_counter()

    def add(self, metrics: Metrics) -> None:
        """Note one run's metrics. They stay on the device."""
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
        """Steps go on."""
        self._clock = time.perf_counter()

    def wait(self) -> None:
        """Return when all steps that are under way are done."""
        jax.block_until_ready(self._metrics)

    def stop_clock(self) -> None:
        """Something else than steps follows: wait for those that are under way, and count them."""
        self.wait()
        self.seconds += time.perf_counter() - self._clock
        self.examples += float(sum(np.sum(jax.device_get(examples)) for examples in self._timed))
        self._timed = []

    def check_finite(self) -> None:
        """Raise a `NonFiniteError` where a step since the last call met a number that is not finite."""
        faults, self._faults = self._faults, []
        check_finite(faults)

    @property
    def examples_per_second(self) -> float | None:
        """Throughput of the training steps alone; None where none was timed."""
        return self.examples / self.seconds if self.examples else None

    def pending(self) -> dict[str, Any]:
        """Sums over the examples seen since metrics were last taken, as plain numbers for a later run to go on from."""
        runs, self._metrics = jax.device_get(self._metrics), []
        for name in runs[0] if runs else ():
            values = np.stack([run[name] for run in runs]).astype(np.float64)
            if name != "examples":
                values *= _aligned(np.stack([run["examples"] for run in runs]), values.ndim)
            # One after another: wherever a run is interrupted, the sum is the same to the last bit.
            self._sums[name] = functools.reduce(np.add, values, self._sums.get(name, np.zeros(())))
        return {name: value.tolist() for name, value in self._sums.items()}

    def take_metrics(self) -> dict[str, Any]:
        """Averages over the examples seen since the last call, NaN where none counted; arrays become lists."""
        self.pending()
        sums, self._sums = self._sums, {}
        examples = sums.pop("examples", np.zeros(()))
        examples = np.where(examples == 0, np.nan, examples)
        return {name: (value / _aligned(examples, value.ndim)).tolist() for name, value in sums.items()}


def _aligned(weights: np.ndarray, ndim: int) -> np.ndarray:
    """With axes of size 1 behind, to multiply what has more axes."""
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
) -> tuple[TrainState, Progress]:
    """Train from the state's step to `num_steps`.

    Args:
        state: where to begin; it is used up.
        run: takes all steps of one chunk.
        chunks: one after another, beginning with the state's step; each ends where a hook is due.
        num_steps: the step to stop at.
        hooks: called in order when `every` divides the number of steps taken, and after the last step.
        should_stop: asked after each chunk; where it says yes the run ends, with no hook that is not due.
        pending: metrics of an interrupted run that no hook has taken, see `Progress`.
        compile: compiles `run` for a state and a chunk, before the clock starts; without it the first run compiles,
            and is not timed.
        note: is told the first step when steps begin, then now and then how many are done, for a progress bar.

    Raises:
        NonFiniteError: a step met a number that is not finite; no hook sees what became of the state.
    """
    if compile is not None:
        chunks = _compile_ahead(compile, state, chunks)
    progress, noted, step = Progress(pending, compiled=compile is not None), time.perf_counter(), steps_taken(state)
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
    """Compile for the first of the chunks, and hand out all of them."""
    chunks = iter(chunks)
    first = list(itertools.islice(chunks, 1))
    for chunk in first:
        compile(state, chunk)
    return itertools.chain(first, chunks)


def steps_taken(state: TrainState) -> int:
    """The step that a state, or a stack of states, has reached."""
    return int(np.asarray(state.step).reshape(-1)[0])
