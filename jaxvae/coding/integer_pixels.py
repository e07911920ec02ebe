"""Likelihoods of pixels by integers alone.

A further one is one more function: `integer_pixels.register(Distribution)`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from jaxvae.coding.exact_tables import POSITION, exponentials, logistic_curve
from jaxvae.coding.intervals import Binary, Cumulative, Intervals, Table
from jaxvae.distributions import Bernoulli, CategoricalLevels, DiscretizedLogistic
from jaxvae.errors import InputError

LOGITS = 7
"""Exponent of the grid of logits."""
LOGISTIC, LOG_SCALES, STEEP = 14, 6, 16
"""Exponents of the grids of locations and log-scales, of rounded log-scales, and of 1 / scale."""
LEAST_LOG_SCALE, MOST_LOG_SCALE = -10, 6
"""Bounds of log-scales."""
MOST_LOGIT = 20
"""Difference of logits, in nats, beyond which a level gets the least mass."""


class IntegerPixels(NamedTuple):
    """Likelihood of pixels."""

    top: int
    """Largest level: pixels are numbers k / top."""
    exponent: int
    """Exponent of the grid of the decoder's outputs."""
    intervals: Callable[[np.ndarray], Intervals]
    """Function from these outputs `[L, ...]`, int64, to the intervals of `[D, L]` levels."""


@functools.singledispatch
def integer_pixels(distribution: Any) -> IntegerPixels:
    """Return the likelihood of pixels under a distribution, whose leaves may be shapes.

    Raises:
        InputError: there is none in integers.
    """
    raise InputError(
        f"portable: the run's likelihood is {type(distribution).__name__}, and integer networks take bernoulli, "
        "categorical_levels and discretized_logistic; leave it out"
    )


@integer_pixels.register(Bernoulli)
def _bernoulli(distribution: Any) -> IntegerPixels:
    del distribution

    def intervals(outputs: np.ndarray) -> Intervals:
        return Binary.from_ones(logistic_curve().at(outputs.T << POSITION - LOGITS))

    return IntegerPixels(1, LOGITS, intervals)


@integer_pixels.register(CategoricalLevels)
def _categorical_levels(distribution: Any) -> IntegerPixels:
    size = distribution.logits.shape[-1]

    def intervals(outputs: np.ndarray) -> Intervals:
        logits = np.moveaxis(outputs.reshape(len(outputs), -1, size), 0, 1)
        lowest = -MOST_LOGIT << LOGITS
        below = np.maximum(logits - logits.max(-1, keepdims=True), lowest)
        likely = exponentials(lowest, 0, LOGITS, 40)[below - lowest]
        return Table.from_probabilities(likely / likely.sum(-1, keepdims=True))

    return IntegerPixels(size - 1, LOGITS, intervals)


@integer_pixels.register(DiscretizedLogistic)
def _discretized_logistic(distribution: Any) -> IntegerPixels:
    top, (*_, channels) = distribution.levels - 1, distribution.location.shape
    edges = ((2 * np.arange(top + 2) - 1) << LOGISTIC) // (2 * top)

    def intervals(outputs: np.ndarray) -> Intervals:
        location, log_scale = (
            np.ascontiguousarray(half.reshape(len(outputs), -1).T)
            for half in np.split(outputs.reshape(len(outputs), -1, 2 * channels), 2, axis=-1)
        )
        coarse = LOGISTIC - LOG_SCALES
        steps = (log_scale + (1 << coarse >> 1) >> coarse) - (LEAST_LOG_SCALE << LOG_SCALES)
        steep = exponentials(-MOST_LOG_SCALE << LOG_SCALES, -LEAST_LOG_SCALE << LOG_SCALES, LOG_SCALES, STEEP)[::-1]

        def below(level: np.ndarray, location: np.ndarray, steepness: np.ndarray) -> np.ndarray:
            return logistic_curve().at((edges[level] - location) * steepness >> LOGISTIC + STEEP - POSITION)

        reach = 32 << LOGISTIC
        location = np.clip(location, -reach, reach)
        return Cumulative(below, (location, steep[np.clip(steps, 0, len(steep) - 1)]), top + 1)

    return IntegerPixels(top, LOGISTIC, intervals)
