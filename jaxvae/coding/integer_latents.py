"""Latent variables on a grid by integers alone: the buckets of `latents.Buckets` under N(0, 1), from exact tables."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

from jaxvae.coding.codecs import Codec, independent
from jaxvae.coding.exact_tables import POSITION, UNIT, exponentials, normal_curve
from jaxvae.coding.intervals import Cumulative, Uniform

MOMENTS, LOG_VARS, EDGES, SCALES = 10, 6, 16, 16
"""Exponents of the grids of what the encoder gives, of log-variances, of edges and means, and of 1 / deviation."""
LEAST_LOG_VAR, MOST_LOG_VAR, MOST_MEAN = -16, 8, 32
"""Bounds of log-variances and means."""


@dataclasses.dataclass(frozen=True)
class IntegerBuckets:
    """Division of each of D dimensions into 2^bits buckets of equal mass under N(0, 1)."""

    num_dimensions: int
    bits: int

    def values(self, numbers: np.ndarray, exponent: int) -> np.ndarray:
        """Return `[L, D]` medians of buckets `[D, L]`, int64 of an exponent."""
        coarse = EDGES - exponent
        return (_quantiles(self.bits, 1) + (1 << coarse >> 1) >> coarse)[numbers.T]

    def uniform(self, lanes: int) -> Codec:
        """Return the codec by the prior: each bucket costs `bits` bits."""
        return independent(Uniform((self.num_dimensions, lanes), self.bits))

    def normal(self, outputs: np.ndarray) -> Codec:
        """Return the codec by normals of means and log-variances `[L, 2 D]`, int64 of exponent `MOMENTS`."""
        curve, edges = normal_curve(), _quantiles(self.bits, 0)
        mean, log_var = np.split(np.ascontiguousarray(outputs.T), 2)
        mean = np.clip(mean << EDGES - MOMENTS, -MOST_MEAN << EDGES, MOST_MEAN << EDGES)
        steps = (log_var + (1 << MOMENTS - LOG_VARS >> 1) >> MOMENTS - LOG_VARS) - (LEAST_LOG_VAR << LOG_VARS)
        scales = _scales()
        scale = scales[np.clip(steps, 0, len(scales) - 1)]

        def below(numbers: np.ndarray, mean: np.ndarray, scale: np.ndarray) -> np.ndarray:
            return curve.at((edges[numbers] - mean) * scale >> EDGES + SCALES - POSITION)

        return independent(Cumulative(below, (mean, scale), 1 << self.bits))


@functools.cache
def _quantiles(bits: int, halves: int) -> np.ndarray:
    """Return the quantiles k / 2^bits of N(0, 1), or those half a step above, int64 of exponent `EDGES`."""
    return normal_curve().inverse((2 * np.arange((1 << bits) + 1 - halves) + halves) << UNIT - bits - 1, EDGES)


def _scales() -> np.ndarray:
    """Return 1 / deviation of each log-variance: exp(-v / 2)."""
    half = LOG_VARS + 1
    return exponentials(-MOST_LOG_VAR << LOG_VARS, -LEAST_LOG_VAR << LOG_VARS, half, SCALES)[::-1]
