"""The training loop: a plain for loop over steps, with hooks that look at the state from time to time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, TypeAlias

import jax
import numpy as np

from jaxvae.training.step import Metrics
from jaxvae.types import TrainState

Dispatch: TypeAlias = Callable[[TrainState, np.ndarray, np.ndarray], tuple[TrainState, Metrics]]
"""`(state, ids, weights) -> (state, metrics)`: one compiled step on the examples of these numbers."""


class Hook(NamedTuple):
    """Something done every so many steps, and after the last one."""

    every: int
    call: Callable[[TrainState, Progress], None]


class Progress:
    """What the loop knows at a step: the metrics since it was last asked, and the time spent in steps alone."""

    def __init__(self) -> None:
        self._metrics: list[Metrics] = []
        self.seconds = 0.0
        self.examples = 0.0
        """Examples seen in `seconds`; the first dispatch, which compiles, is in neither."""

    def add(self, metrics: Metrics) -> None:
        """Note one step's metrics. They stay on the device."""
        self._metrics.append(metrics)

    @property
    def examples_per_second(self) -> float:
        """Throughput of the training steps alone."""
        return self.examples / self.seconds if self.seconds else 0.0

    def take_metrics(self) -> dict[str, Any]:
        """Averages over the examples seen since the last call; arrays become lists of numbers."""
        steps, self._metrics = jax.device_get(self._metrics), []
        examples = np.array([step["examples"] for step in steps], np.float64)
        return {
            name: np.tensordot(examples / examples.sum(), np.stack([step[name] for step in steps]), 1).tolist()
            for name in (steps[0] if steps else {})
            if name != "examples"
        }


def train(
    state: TrainState,
    dispatch: Dispatch,
    batches: Iterable[tuple[np.ndarray, np.ndarray]],
    *,
    num_steps: int,
    hooks: Sequence[Hook] = (),
    should_stop: Callable[[], bool] = lambda: False,
) -> tuple[TrainState, Progress]:
    """Train from `state.step` to `num_steps`.

    Args:
        state: where to begin.
        dispatch: takes one step.
        batches: `(ids, weights)` of one batch after another, beginning with step `state.step`.
        num_steps: the step to stop at.
        hooks: called in order when `every` divides the number of steps taken, and after the last step.
        should_stop: asked after each step; the step at which it says yes is the last one.
    """
    progress = Progress()
    first = int(state.step)
    clock = time.perf_counter()
    for step, (ids, weights) in zip(range(first + 1, num_steps + 1), batches):
        state, metrics = dispatch(state, ids, weights)
        progress.add(metrics)
        if step > first + 1:
            progress.examples += float(weights.sum())
        else:
            jax.block_until_ready(state)
            clock = time.perf_counter()
        last = step == num_steps or should_stop()
        due = [hook for hook in hooks if last or step % hook.every == 0]
        if due or last:
            jax.block_until_ready(state)
            progress.seconds += time.perf_counter() - clock
            for hook in due:
                hook.call(state, progress)
            clock = time.perf_counter()
        if last:
            break
    return state, progress
