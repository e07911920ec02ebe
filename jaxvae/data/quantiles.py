"""Normal scores of numbers: each is replaced by the normal quantile of its rank, whatever its distribution."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

MOST, LEAST_EACH = 128, 5
"""Most knots of a column, and least number of values for each."""
OFTEN = 0.001
"""Share of the values from which one counts as occurring often."""
END = 1e-12
"""Distance of the ranks of the extremes from 0 and 1, whose scores would be infinite."""
ON = 1e-5
"""Distance of a score from that of a knot within which its value is the knot's."""


class Knots(NamedTuple):
    """Rising function from values to normal scores, of straight lines between knots and beyond the last."""

    values: np.ndarray
    """`[K]` rising values."""
    scores: np.ndarray
    """`[K]` their rising scores."""
    often: np.ndarray | None = None
    """`[A, 3]` rising values that occur often, with the lowest and the highest score of their ranks; None of earlier
    runs."""

    def apply(self, x: np.ndarray) -> np.ndarray:
        """Return the scores of values."""
        return _along(x, self.values, self.scores)

    def undo(self, scores: np.ndarray) -> np.ndarray:
        """Return the values of scores."""
        return _along(scores, self.scores, self.values)

    def undo_drawn(self, scores: np.ndarray) -> np.ndarray:
        """Return the values of scores that a model drew, by the quantile function, which has steps.

        Scores within the ranks of a value that occurs often, such as zeros and round numbers, are that value. `undo`
        would make of them numbers that nobody wrote, because it inverts `apply`.
        """
        values = self.undo(scores)
        if self.often is None or not len(self.often):
            return values
        value, low, high = self.often.T
        nearest = np.maximum(np.searchsorted(low, scores, side="right") - 1, 0)
        return np.where((scores >= low[nearest]) & (scores < high[nearest]), value[nearest], values)

    def log_slope(self, scores: np.ndarray) -> np.ndarray:
        """Return the logarithm of d score / d value, at values of these scores.

        On a knot, where a value that occurs often lies, it is the slope of the line between the two knots around it.
        """
        first = _line(scores, self.scores)
        nearest = first + (self.scores[first + 1] - scores < scores - self.scores[first])
        on = np.abs(self.scores[nearest] - scores) < ON
        last = np.where(on, np.minimum(nearest + 1, len(self.scores) - 1), first + 1)
        first = np.where(on, np.maximum(nearest - 1, 0), first)
        return np.log(self.scores[last] - self.scores[first]) - np.log(self.values[last] - self.values[first])


def fit(x: np.ndarray) -> Knots | None:
    """Fit knots to values `[N]` at their quantiles; a value that occurs often has the middle of its ranks.

    Beyond the extremes the lines are no steeper than that from the one extreme to the other. Returns None for fewer
    than three different values.
    """
    from scipy.special import ndtri

    values, counts = np.unique(x.astype(np.float64), return_counts=True)
    if len(values) < 3:
        return None
    ranks = (np.cumsum(counts) - counts / 2) / len(x)
    often = _often(values, counts, ndtri)
    most = min(MOST, max(3, len(x) // LEAST_EACH))
    if len(values) > most:
        nearest = np.searchsorted(ranks, np.linspace(ranks[0], ranks[-1], most))
        chosen = np.unique(np.minimum([0, *nearest, len(values) - 1], len(values) - 1))
        values, ranks = values[chosen], ranks[chosen]
    scores = ndtri(ranks)
    width = values[-1] - values[0]
    slope = np.minimum(np.diff(scores)[[0, -1]] / np.diff(values)[[0, -1]], (scores[-1] - scores[0]) / width)
    return Knots(
        np.concatenate([[values[0] - width], values, [values[-1] + width]]),
        np.concatenate([[scores[0] - slope[0] * width], scores, [scores[-1] + slope[1] * width]]),
        often,
    )


def _often(values: np.ndarray, counts: np.ndarray, ndtri: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Return `[A, 3]` values that occur often, and the scores between which their ranks lie."""
    num = counts.sum()
    chosen = counts >= max(LEAST_EACH, OFTEN * num)
    highest = np.cumsum(counts)
    ranks = np.clip(np.stack([highest - counts, highest], axis=1)[chosen] / num, END, 1 - END)
    return np.concatenate([values[chosen, None], ndtri(ranks)], axis=1)


def _line(x: np.ndarray, knots: np.ndarray) -> np.ndarray:
    """Return the number of the line between two knots on which each value lies."""
    return np.clip(np.searchsorted(knots, x, side="right") - 1, 0, len(knots) - 2)


def _along(x: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    line = _line(x, start)
    return end[line] + (np.diff(end) / np.diff(start))[line] * (x - start[line])
