"""The training loop: a plain for loop over chunks of steps, with hooks that look at the state from time to time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxvae.training.step import Metrics
from jaxvae.types import Array, Chunk, TrainState


class Hook(NamedTuple):
    """Something done every so many steps, and after the last one."""

    every: int
    call: Callable[[TrainState, Progress], None]


class Progress:
    """What the loop knows at a step: the metrics since it was last asked, and the time spent in steps alone."""

    def __init__(self) -> None:
        self._metrics: list[Metrics] = []
        self._timed: list[Array] = []
        self.seconds = 0.0
        self.examples = 0.0
        """Examples seen in `seconds`; the first run, which compiles, is in neither."""
        self.first_run_at: float | None = None
        """When the first run was done, on the clock of `time.time`."""
        self._clock = 0.0

    def add(self, metrics: Metrics) -> None:
        """Note one run's metrics. They stay on the device."""
        self._metrics.append(metrics)
        if self.first_run_at is None:
            jax.block_until_ready(metrics)
            self.first_run_at = time.time()
            self.start_clock()
        else:
            self._timed.append(metrics["examples"])

    def start_clock(self) -> None:
        """Steps go on."""
        self._clock = time.perf_counter()

    def stop_clock(self) -> None:
        """Something else than steps follows: wait for those that are under way, and count them."""
        jax.block_until_ready(self._metrics)
        self.seconds += time.perf_counter() - self._clock
        self.examples += float(sum(np.sum(jax.device_get(examples)) for examples in self._timed))
        self._timed = []

    @property
    def examples_per_second(self) -> float:
        """Throughput of the training steps alone."""
        return self.examples / self.seconds if self.seconds else 0.0

    def take_metrics(self) -> dict[str, Any]:
        """Averages over the examples seen since the last call; arrays become lists of numbers."""
        runs, self._metrics = jax.device_get(self._metrics), []
        if not runs:
            return {}
        examples = np.stack([run["examples"] for run in runs]).astype(np.float64)
        share = examples / examples.sum(axis=0)

        def average(name: str) -> Any:
            values = np.stack([run[name] for run in runs])
            return (share.reshape(share.shape + (1,) * (values.ndim - share.ndim)) * values).sum(axis=0).tolist()

        return {name: average(name) for name in runs[0] if name != "examples"}


def train(
    state: TrainState,
    run: Callable[[TrainState, Chunk], tuple[TrainState, Metrics]],
    chunks: Iterable[Chunk],
    *,
    num_steps: int,
    hooks: Sequence[Hook] = (),
    should_stop: Callable[[], bool] = lambda: False,
) -> tuple[TrainState, Progress]:
    """Train from the state's step to `num_steps`.

    Args:
        state: where to begin; it is used up.
        run: takes all steps of one chunk.
        chunks: one after another, beginning with the state's step; each ends where a hook is due.
        num_steps: the step to stop at.
        hooks: called in order when `every` divides the number of steps taken, and after the last step.
        should_stop: asked after each chunk; where it says yes the run ends.
    """
    progress = Progress()
    step = steps_taken(state)
    for chunk in chunks:
        state, metrics = run(state, chunk)
        progress.add(metrics)
        step += chunk.num_steps
        last = step >= num_steps or should_stop()
        due = [hook for hook in hooks if last or step % hook.every == 0]
        if due or last:
            progress.stop_clock()
            for hook in due:
                hook.call(state, progress)
            progress.start_clock()
        if last:
            break
    return state, progress


def steps_taken(state: TrainState) -> int:
    """The step that a state, or a stack of states, has reached."""
    return int(np.asarray(state.step).reshape(-1)[0])
