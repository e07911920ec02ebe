"""Side by side: everybody runs once a round, so that a machine that slows down slows everybody down."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")


def interleave(runs: Mapping[str, Callable[[], T]], num_rounds: int) -> dict[str, list[T]]:
    """Call everybody once a round; who begins changes from round to round.

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
    """The median over rounds of the ratio within a round: what slows a whole round down cancels."""
    return statistics.median(a / b for a, b in zip(mine, other, strict=True))


def steps_for(seconds: float, time_steps: Callable[[int], float]) -> int:
    """How many steps take so long, found by doubling; it warms up too.

    Args:
        seconds: wanted.
        time_steps: takes so many steps and says how many seconds one took.
    """
    steps = 1
    while (per_step := time_steps(steps)) * steps < seconds / 4:
        steps *= 2
    return max(1, math.ceil(seconds / per_step))
