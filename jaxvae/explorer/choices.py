"""Classes under which the page decodes, where a model is conditional."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from jaxvae.data import Split
from jaxvae.data.attributes import class_name
from jaxvae.data.spaces import Categories, Quadrants
from jaxvae.errors import InputError


class Choices(NamedTuple):
    """Classes to choose from, and that of each image."""

    names: list[str]
    vectors: np.ndarray
    """`[K, C]` conditions."""
    numbers: np.ndarray
    """`[N]` number of each image's own among the K."""

    def of_images(self, ids: np.ndarray) -> np.ndarray:
        """Return the conditions `[M, C]` of images with these indices `[M]`."""
        return self.vectors[self.numbers[ids]]


def choices_of(split: Split, classes: Sequence[str]) -> Choices | None:
    """Return the classes that a model was trained with, and `unknown` where an image's is; None without conditions.

    Raises:
        InputError: its conditions are no classes.
    """
    if split.condition_space is None:
        return None
    if not isinstance(split.condition_space, Categories) or split.condition is None:
        found = "quadrants" if isinstance(split.condition_space, Quadrants) else "attributes"
        raise InputError(f"run-dir: the explorer offers classes, this run's condition is {found}; use jaxvae sample")
    size, labels = split.condition_space.size, split.condition
    names, vectors = [class_name(number, classes) for number in range(size)], np.eye(size, dtype=np.float32)
    if (labels < 0).any():
        names, vectors = [*names, "unknown"], np.vstack([vectors, np.zeros(size, np.float32)])
    return Choices(names, vectors, np.where(labels < 0, size, labels))
