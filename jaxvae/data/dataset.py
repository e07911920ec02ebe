"""A data set in memory: named splits of images, with labels where there are any."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import numpy as np


class Split(NamedTuple):
    """Part of a data set, held as it was stored: grey values stay uint8 until a batch is made."""

    image: np.ndarray
    """`[N, H, W, C]` or `[N, D]`; uint8 in 0..255, or float32 in [0, 1]."""
    label: np.ndarray | None = None
    """`[N]` int32 class numbers."""

    @property
    def num_examples(self) -> int:
        """N."""
        return len(self.image)

    def mean(self) -> np.ndarray:
        """The mean example, in [0, 1]."""
        scale = 255 if self.image.dtype == np.uint8 else 1
        return (self.image.mean(axis=0, dtype=np.float64) / scale).astype(np.float32)


class Dataset(NamedTuple):
    """A data set and how it is divided."""

    name: str
    train: Split
    test: Split
    validation: Split | None = None
    binary: bool = False
    """Whether every pixel is 0 or full scale, so that a Bernoulli likelihood takes the pixels as they are."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one example."""
        return self.train.image.shape[1:]

    def fingerprint(self) -> str:
        """Sha256 over every split's pixels and labels, in order: equal data, equal fingerprint."""
        digest = hashlib.sha256()
        for split in (self.train, self.validation, self.test):
            for array in split or ():
                if array is not None:
                    digest.update(f"{array.dtype.str}{array.shape}".encode())
                    digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()
