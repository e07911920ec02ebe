"""A data set: named splits of images, in memory or where they are stored, with labels where there are any."""

from __future__ import annotations

import hashlib
from typing import Any, Literal, NamedTuple

import numpy as np

from jaxvae.data.rows import Rows, blocks

Pixels = Literal["binary", "ink", "grey"]
"""What a pixel value means: it is 0 or full scale; it is a probability of ink, as the literature reads MNIST; or it is
a shade, or a colour's."""


def full_scale(image: Any) -> int:
    """The pixel value that means 1."""
    return 255 if image.dtype == np.uint8 else 1


class Split(NamedTuple):
    """Part of a data set, held as it was stored: grey values stay uint8 until a batch is made."""

    image: Rows
    """`[N, H, W, C]` or `[N, D]`; uint8 in 0..255, or float32 in [0, 1]."""
    label: np.ndarray | None = None
    """`[N]` int32 class numbers."""

    @property
    def num_examples(self) -> int:
        """N."""
        return len(self.image)

    def first(self, num: int) -> np.ndarray:
        """`[num, ...]` examples in [0, 1], fewer where the split is smaller."""
        return self.image[:num].astype(np.float32) / full_scale(self.image)

    def mean(self) -> np.ndarray:
        """The mean example, in [0, 1]."""
        total = sum(block.sum(axis=0, dtype=np.float64) for block in blocks(self.image))
        return np.asarray(total / self.num_examples, np.float32) / full_scale(self.image)


class Dataset(NamedTuple):
    """A data set and how it is divided."""

    name: str
    train: Split
    test: Split
    validation: Split | None = None
    pixels: Pixels = "grey"

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one example."""
        return self.train.image.shape[1:]

    def in_memory(self) -> Dataset:
        """The same set, read whole."""

        def read(split: Split) -> Split:
            return split._replace(image=split.image[:])

        validation = read(self.validation) if self.validation else None
        return self._replace(train=read(self.train), test=read(self.test), validation=validation)

    def fingerprint(self) -> str:
        """Sha256 over every split's pixels and labels, in order: equal data, equal fingerprint."""
        digest = hashlib.sha256()
        for split in (self.train, self.validation, self.test):
            for array in split or ():
                if array is not None:
                    digest.update(f"{array.dtype.str}{array.shape}".encode())
                    for block in blocks(array):
                        digest.update(np.ascontiguousarray(block).data)
        return digest.hexdigest()
