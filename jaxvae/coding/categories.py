"""Latent variables that are categories as they stand: one-hot rows, and codes of a codebook."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from jaxvae.coding.codecs import Codec, independent
from jaxvae.coding.intervals import Cumulative, Table
from jaxvae.types import Array


@dataclasses.dataclass(frozen=True, eq=False)
class OneHot:
    """D variables of K categories, whose values are one-hot rows; the posterior is that without relaxation."""

    probabilities: np.ndarray
    """`[D, K]` of the prior."""

    @property
    def num(self) -> int:
        """Number of variables."""
        return len(self.probabilities)

    def values(self, numbers: np.ndarray) -> np.ndarray:
        """Return `[L, D, K]` one-hot rows of categories `[D, L]`."""
        return np.eye(self.probabilities.shape[-1], dtype=np.float32)[numbers.T]

    def prior(self, lanes: int) -> Codec:
        """Return the codec by p(z)."""
        return independent(Table.from_probabilities(np.repeat(self.probabilities[:, None], lanes, axis=1)))

    def arrays(self, q: Any) -> tuple[Array, ...]:
        """Return the probabilities `[B, D, K]` of q(z|x)."""
        return (q.hard.mean,)

    def posterior(self, probabilities: np.ndarray) -> Codec:
        """Return the codec by probabilities `[L, D, K]`."""
        return independent(Table.from_probabilities(np.ascontiguousarray(probabilities.swapaxes(0, 1))))


@dataclasses.dataclass(frozen=True, eq=False)
class CodeNumbers:
    """Numbers of codes, of which each has the same probability; the posterior is certain of them."""

    codebook: np.ndarray
    """`[K, D]`."""
    positions: tuple[int, ...]
    """Shape of the numbers of one value."""

    @property
    def num(self) -> int:
        """Number of positions."""
        return math.prod(self.positions)

    def values(self, numbers: np.ndarray) -> np.ndarray:
        """Return the vectors `[L, ..., G D]` of numbers `[P, L]`, as the decoder reads them."""
        vectors = self.codebook[numbers.T.reshape(-1, *self.positions)]
        return vectors.reshape(*vectors.shape[:-2], -1)

    def prior(self, lanes: int) -> Codec:
        """Return the codec by p(z): each number costs log2 K bits."""
        size = len(self.codebook)
        sizes = np.full((self.num, lanes), float(size))
        return independent(Cumulative(np.divide, (sizes,), size))

    def arrays(self, q: Any) -> tuple[Array, ...]:
        """Return the numbers `[B, P]` of the nearest codes."""
        return (q.codes.indices.reshape(len(q.codes.indices), -1),)

    def posterior(self, numbers: np.ndarray) -> Codec:
        """Return the codec by q(z|x), which takes and gives no bits."""
        chosen = np.ascontiguousarray(numbers.T.astype(np.int64))
        return Codec(lambda message, value: None, lambda message: chosen)
