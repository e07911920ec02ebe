"""Data set: named splits of images, in memory or on disk, with labels where there are any."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from jaxvae.data.memory import check_fits
from jaxvae.data.rows import Rows, Subset, blocks, num_bytes

if TYPE_CHECKING:
    from jaxvae.data.scaling import Scaling

Pixels = Literal["binary", "ink", "grey", "real"]
"""Meaning of a value: 0 or full scale; a probability of ink, as MNIST in the literature; a shade in [0, 1]; or any real
number, such as in a column of a table."""
INK = ("binary", "ink")
"""Kinds of pixels that a Bernoulli may score, and whose strokes can be measured."""


def full_scale(image: Any) -> int:
    """Return the pixel value that means 1."""
    return 255 if image.dtype == np.uint8 else 1


class Split(NamedTuple):
    """Split of a data set, as stored: grey values stay uint8 until a batch is made."""

    image: Rows
    """`[N, H, W, C]` or `[N, D]`; uint8 in 0..255, or float32 in [0, 1]."""
    label: np.ndarray | None = None
    """`[N]` int32 class numbers."""
    attributes: Mapping[str, np.ndarray] = MappingProxyType({})
    """`[N]` integers or floats by name: further attributes of each example."""

    @property
    def num_examples(self) -> int:
        """Number N of examples."""
        return len(self.image)

    def take(self, ids: np.ndarray) -> Split:
        """Return the examples with these indices `[M]`; images on disk stay there."""
        label = None if self.label is None else self.label[ids]
        return Split(Subset(self.image, ids), label, {name: array[ids] for name, array in self.attributes.items()})

    def first(self, num: int) -> np.ndarray:
        """Return `[num, ...]` examples in [0, 1], fewer where the split is smaller."""
        return self.image[:num].astype(np.float32) / full_scale(self.image)

    def mean(self) -> np.ndarray:
        """Return the mean example, in [0, 1]."""
        total = sum(block.sum(axis=0, dtype=np.float64) for block in blocks(self.image))
        return np.asarray(total / self.num_examples, np.float32) / full_scale(self.image)


class Dataset(NamedTuple):
    """Data set with its splits."""

    name: str
    train: Split
    test: Split
    validation: Split | None = None
    pixels: Pixels = "grey"
    classes: tuple[str, ...] = ()
    """Names of the classes: label i means `classes[i]`. Empty where there are no names."""
    preparation: Mapping[str, str] = MappingProxyType({})
    """Preparation of the stored images, by the option's name: resize, crop, background."""
    scaling: Scaling | None = None
    """Scaling of the values; None where they are as stored."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one example."""
        return self.train.image.shape[1:]

    def in_memory(self) -> Dataset:
        """Read the whole set into memory.

        Raises:
            InputError: it takes more memory than there is.
        """
        splits = [split for split in (self.train, self.validation, self.test) if split]
        stored = sum(num_bytes(split.image) for split in splits if not isinstance(split.image, np.ndarray))
        check_fits(f"dataset: {self.name}", stored, "make its images smaller or fewer, or read them with stream=True")

        def read(split: Split) -> Split:
            return split._replace(image=split.image[:])

        validation = read(self.validation) if self.validation else None
        return self._replace(train=read(self.train), test=read(self.test), validation=validation)

    def fingerprint(self) -> str:
        """Compute the sha256 of every split's pixels, labels and attributes: equal data have equal fingerprints."""
        digest = hashlib.sha256()
        for split in (self.train, self.validation, self.test):
            for name, array in _arrays(split) if split else ():
                digest.update(f"{name}{array.dtype.str}{array.shape}".encode())
                for block in blocks(array):
                    digest.update(np.ascontiguousarray(block).data)
        return digest.hexdigest()


def _arrays(split: Split) -> Iterator[tuple[str, Rows]]:
    """Yield all arrays of a split; only attributes need names to be distinguished."""
    yield "", split.image
    if split.label is not None:
        yield "", split.label
    yield from sorted(split.attributes.items())
