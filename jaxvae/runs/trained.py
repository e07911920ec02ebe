"""Trained model with its data: codes of images, images of codes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from jaxvae.data import Dataset, Split
from jaxvae.data.attributes import class_name
from jaxvae.data.spaces.values import as_values
from jaxvae.evaluation import in_blocks
from jaxvae.report.display import Limits, value_limits
from jaxvae.runs.directory import Run

LOOKED_AT = 1000
"""Maximum number of test images for the range of values and codes."""


class Trained(NamedTuple):
    """Trained model, its data set, and the folder of its figures."""

    run: Run
    data: Dataset
    folder: Path

    def encode(self, split: Split) -> np.ndarray:
        """Return posterior means `[N, D]` of all images of a split."""
        run = self.run
        # in_blocks uses only operations that rows on disk support too.
        return in_blocks(lambda x: run.model.encode(run.params, as_values(x)).mean, split.x)

    def decode(self, codes: ArrayLike) -> np.ndarray:
        """Decode codes `[..., D]` to images `[..., H, W, C]`."""
        run, codes = self.run, np.asarray(codes)
        images = in_blocks(lambda z: run.model.decode(run.params, z).mean, codes.reshape(-1, codes.shape[-1]))
        return images.reshape(*codes.shape[:-1], *images.shape[1:])

    def test_images(self, ids: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """Return test images `[N, ...]` in [0, 1], and their codes `[N, D]`."""
        part = self.data.test.take(np.asarray(ids))
        return part.first(len(ids)), self.encode(part)

    def shows(self, ids: Sequence[int]) -> list[str]:
        """Return names of test images: their indices, and their classes if known."""
        label = self.data.test.label
        if label is None:
            return [f"test {number}" for number in ids]
        names, word = self.data.classes, "" if self.data.classes else "class "
        return [f"test {number}: {word}{class_name(int(label[number]), names)}" for number in ids]

    def limits(self) -> Limits:
        """Values that are shown as black and white."""
        return value_limits(self.data.test.first(LOOKED_AT))

    def test_split(self, most: int) -> Split:
        """Return the test split, or at most this number of its examples."""
        return self.data.test.take(np.arange(min(most, self.data.test.num_examples)))

    @property
    def latent_dim(self) -> int:
        """Number D of latent dimensions."""
        return self.run.model.prior(self.run.params).mean.shape[-1]

    def spread(self) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and deviation `[D]` of the prior or, for an autoencoder, of the test images' codes."""
        if self.run.reports_elbo:
            return np.zeros(self.latent_dim), np.ones(self.latent_dim)
        codes = self.encode(self.test_split(5000))
        return codes.mean(axis=0), codes.std(axis=0)
