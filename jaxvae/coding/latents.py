"""Latent variables as symbols: on a grid, buckets of equal mass under a normal, and normals as masses of these."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, Protocol

import jax.numpy as jnp
import numpy as np
from scipy.special import ndtr, ndtri

from jaxvae.coding.codecs import Codec, independent
from jaxvae.coding.intervals import Cumulative, Uniform
from jaxvae.types import Array

LEAST_STD = 1e-12
"""Least standard deviation, so that a quotient by it is finite."""


class Latent(Protocol):
    """Interface of the latent variables of one layer, which are D symbols of an example."""

    @property
    def num(self) -> int:
        """Number D of symbols."""
        ...

    def values(self, numbers: np.ndarray) -> np.ndarray:
        """Return the values `[L, ...]` of symbols `[D, L]`, as the decoder reads them."""
        ...

    def prior(self, lanes: int) -> Codec:
        """Return the codec of symbols by p(z)."""
        ...

    def arrays(self, q: Any) -> tuple[Array, ...]:
        """Return arrays `[B, ...]` of q(z|x), for a compiled program."""
        ...

    @property
    def posterior(self) -> Callable[..., Codec]:
        """Function from these arrays `[L, ...]` to the codec of symbols by q(z|x)."""
        ...


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
        """Number of dimensions."""
        return len(self.mean)

    @property
    def size(self) -> int:
        """Number of buckets of a dimension."""
        return 1 << self.bits

    def values(self, numbers: np.ndarray) -> np.ndarray:
        """Return `[L, D]` float32 values of buckets `[D, L]`."""
        medians = ndtri((np.arange(self.size) + 0.5) / self.size)
        return (self.mean + self.std * medians[numbers.T]).astype(np.float32)

    def prior(self, lanes: int) -> Codec:
        """Return the codec by the normal of the buckets: each costs `bits` bits."""
        return independent(Uniform((self.num, lanes), self.bits))

    def arrays(self, q: Any) -> tuple[Array, ...]:
        """Return means and standard deviations `[B, D]` of a normal."""
        return moments(q)

    def posterior(self, mean: np.ndarray, std: np.ndarray) -> Codec:
        """Return the codec by other normals, of means and standard deviations `[L, D]`."""
        edges = ndtri(np.arange(self.size + 1) / self.size)

        def below(numbers: np.ndarray, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
            return ndtr((edges[numbers] - mean) / std)

        # In units of the buckets, where all dimensions have the same edges.
        deviation = np.maximum(std.astype(np.float64) / self.std, LEAST_STD)
        shift = (mean.astype(np.float64) - self.mean) / self.std
        parameters = tuple(np.ascontiguousarray(array.T) for array in (shift, deviation))
        return independent(Cumulative(below, parameters, self.size))


def moments(q: Any) -> tuple[Array, Array]:
    """Return means and standard deviations `[B, D]` of a normal."""
    mean, log_var = jnp.broadcast_arrays(q.mean, q.log_var)
    return mean.reshape(len(mean), -1), jnp.exp(0.5 * log_var.reshape(len(log_var), -1))
