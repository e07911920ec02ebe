"""Interleaved rounds: every contender runs once per round, so that a slower machine affects all alike."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")


def interleave(runs: Mapping[str, Callable[[], T]], num_rounds: int) -> dict[str, list[T]]:
    """Call every run once per round; the first one changes from round to round.

    >>> interleave({"a": lambda: 1, "b": lambda: 2}, 3)
    {'a': [1, 1, 1], 'b': [2, 2, 2]}
    """
    names = list(runs)
    results: dict[str, list[T]] = {name: [] for name in names}
    for _ in range(num_rounds):
        for name in names:
            results[name].append(runs[name]())
        names = names[1:] + names[:1]
    return results


def median_ratio(mine: Sequence[float], other: Sequence[float]) -> float:
    """Return the median over rounds of the ratio within a round, in which a slow round cancels."""
    return statistics.median(a / b for a, b in zip(mine, other, strict=True))


def steps_for(seconds: float, time_steps: Callable[[int], float]) -> int:
    """Find the number of steps that take this time, by doubling, which is also the warm-up.

    Args:
        seconds: time wanted.
        time_steps: function that takes a number of steps and returns the seconds per step.
    """
    steps = 1
    while (per_step := time_steps(steps)) * steps < seconds / 4:
        steps *= 2
    return max(1, math.ceil(seconds / per_step))
