"""Latent variables on a grid: buckets of equal mass under a normal, and normals as masses of these buckets."""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy.special import ndtr, ndtri

from jaxvae.coding.codecs import Codec, independent
from jaxvae.coding.intervals import Cumulative, Uniform

LEAST_STD = 1e-12
"""Least standard deviation, so that a quotient by it is finite."""


@dataclasses.dataclass(frozen=True, eq=False)
class Buckets:
    """Division of each of D dimensions into 2^bits buckets of equal mass under a normal.

    A symbol is the number of a bucket, and its value the bucket's median.
    """

    mean: np.ndarray
    """`[D]`."""
    std: np.ndarray
    """`[D]`."""
    bits: int

    @property
    def num(self) -> int:
        """Number of buckets of a dimension."""
        return 1 << self.bits

    def values(self, numbers: np.ndarray) -> np.ndarray:
        """Return `[L, D]` float32 values of buckets `[D, L]`."""
        medians = ndtri((np.arange(self.num) + 0.5) / self.num)
        return (self.mean + self.std * medians[numbers.T]).astype(np.float32)

    def uniform(self, lanes: int) -> Codec:
        """Return the codec by the normal of the buckets: each costs `bits` bits."""
        return independent(Uniform((len(self.mean), lanes), self.bits))

    def normal(self, mean: np.ndarray, std: np.ndarray) -> Codec:
        """Return the codec by other normals, of means and standard deviations `[L, D]`."""
        edges = ndtri(np.arange(self.num + 1) / self.num)

        def below(numbers: np.ndarray, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
            return ndtr((edges[numbers] - mean) / std)

        # In units of the buckets, where all dimensions have the same edges.
        deviation = np.maximum(std.astype(np.float64) / self.std, LEAST_STD)
        shift = (mean.astype(np.float64) - self.mean) / self.std
        parameters = tuple(np.ascontiguousarray(array.T) for array in (shift, deviation))
        return independent(Cumulative(below, parameters, self.num))
