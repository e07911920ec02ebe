"""Normal scores of numbers: each is replaced by the normal quantile of its rank, whatever its distribution."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

MOST, LEAST_EACH = 128, 5
"""Most knots of a column, and least number of values for each."""
ON = 1e-5
"""Distance of a score from that of a knot within which its value is the knot's."""


class Knots(NamedTuple):
    """Rising function from values to normal scores, of straight lines between knots and beyond the last."""

    values: np.ndarray
    """`[K]` rising values."""
    scores: np.ndarray
    """`[K]` their rising scores."""

    def apply(self, x: np.ndarray) -> np.ndarray:
        """Return the scores of values."""
        return _along(x, self.values, self.scores)

    def undo(self, scores: np.ndarray) -> np.ndarray:
        """Return the values of scores."""
        return _along(scores, self.scores, self.values)

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
    )


def _line(x: np.ndarray, knots: np.ndarray) -> np.ndarray:
    """Return the number of the line between two knots on which each value lies."""
    return np.clip(np.searchsorted(knots, x, side="right") - 1, 0, len(knots) - 2)


def _along(x: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    line = _line(x, start)
    return end[line] + (np.diff(end) / np.diff(start))[line] * (x - start[line])
