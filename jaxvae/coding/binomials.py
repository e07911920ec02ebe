"""Counts of a known sum: one category after another, each a binomial part of the draws that are left."""

from __future__ import annotations

import numpy as np
from scipy.special import bdtr

from jaxvae.coding.codecs import Codec, independent
from jaxvae.coding.intervals import Cumulative
from jaxvae.coding.rans import Message


def shared_out(chances: np.ndarray, totals: np.ndarray) -> Codec:
    """Return the codec of counts `[D, L]` that sum to totals `[L]`; the last of them is what the others leave.

        x_d ~ Binomial(n - x_1 - ... - x_{d-1}, p_d)

    Args:
        chances: `[D, L]` probabilities p_d of a category among those from it on.
        totals: `[L]` integers n.
    """
    size = int(totals.max(initial=0)) + 1

    def part(category: int, left: np.ndarray) -> Codec:
        parameters = left[None], chances[category : category + 1].astype(np.float64)
        return independent(Cumulative(_below, parameters, size))

    def push(message: Message, counts: np.ndarray) -> None:
        left = totals - np.cumsum(counts, axis=0) + counts
        for category in reversed(range(len(chances) - 1)):
            part(category, left[category]).push(message, counts[category : category + 1])

    def pop(message: Message) -> np.ndarray:
        counts, left = np.empty(chances.shape, np.int64), totals.copy()
        for category in range(len(chances) - 1):
            counts[category] = part(category, left).pop(message)[0]
            left -= counts[category]
        counts[-1] = left
        return counts

    return Codec(push, pop)


def _below(count: np.ndarray, num: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """Return the probability of a smaller count; the function of SciPy knows none above the number of draws."""
    return np.where(count > num, 1.0, bdtr(np.minimum(count - 1.0, num), num, chance))
