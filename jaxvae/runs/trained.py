"""Trained model with its data: codes of images, images of codes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from numpy.typing import ArrayLike

from jaxvae.data import Dataset, Split
from jaxvae.data.attributes import class_name
from jaxvae.distributions.sampling import for_decoder, point
from jaxvae.distributions.supports import is_discrete
from jaxvae.errors import InputError
from jaxvae.evaluation import in_blocks
from jaxvae.evaluation.blocks import take
from jaxvae.model import VAE
from jaxvae.report.display import Limits, value_limits
from jaxvae.report.figures import save_strips
from jaxvae.runs.codes import encode_split
from jaxvae.runs.directory import Run
from jaxvae.types import Array, Params

LOOKED_AT = 1000
"""Maximum number of test images for the range of values and codes."""


def code(model: VAE, params: Params, x: Any, condition: Any = None) -> Array:
    """Return the code of examples without noise, as the decoder gets it: `[B, D]`, or with more axes."""
    return for_decoder(point(model.encode(params, x, condition)))


def code_shape(model: VAE, params: Params, split: Split) -> tuple[int, ...]:
    """Return the shape of the code of one example of a split."""
    one = split.read(*take((split.x, split.condition), np.arange(1)))
    return tuple(jax.eval_shape(lambda: code(model, params, *one)).shape[1:])


def has_dimensions(model: VAE, params: Params, split: Split) -> bool:
    """Return True where each latent dimension is a real number, False for codes of a codebook and categories."""
    space = split.condition_space
    return not is_discrete(model.prior(params, *(() if space is None else (space.zeros(1),))))


class Trained(NamedTuple):
    """Trained model, its data set, and the folder of its figures."""

    run: Run
    data: Dataset
    folder: Path
    condition: str | None = None
    """Condition to decode with in place of each image's own, as `Condition.parse` takes it."""

    def encode(self, split: Split) -> np.ndarray:
        """Return codes `[N, D]` of all images of a split without noise, each under its own condition.

        A code of several axes is one row: vectors of a codebook, or categories.
        """
        return encode_split(self.run, split).point

    def decode(self, codes: ArrayLike, conditions: np.ndarray | None = None) -> Any:
        """Decode codes `[..., D]` to examples, such as images `[..., H, W, C]`.

        Args:
            codes: codes.
            conditions: `[N, C]` conditions of the codes' first axis, or of more of their axes; None without them.
        """
        run, codes = self.run, np.asarray(codes)
        if self.condition is not None:
            conditions = self.chosen()[None]
        if conditions is not None:
            assert run.condition is not None
            conditions = _repeated(conditions, len(run.condition.space.shape), codes.shape[:-1])
        rows = codes.reshape(-1, *self.code_shape)
        images = in_blocks(lambda z, given: point(run.model.decode(run.params, z, given)), rows, conditions)
        return jax.tree.map(lambda array: array.reshape(*codes.shape[:-1], *array.shape[1:]), images)

    def as_every_class(self, codes: np.ndarray, num_classes: int) -> Any:
        """Decode codes `[N, D]` as each of K classes, `[N, K, ...]`: each in the style of its code."""
        one_hot = np.broadcast_to(np.eye(num_classes, dtype=np.float32), (len(codes), num_classes, num_classes))
        return self.decode(codes[:, None].repeat(num_classes, axis=1), one_hot)

    def save_styles(self, path: Path, ids: Sequence[int], classes: Sequence[str], title: str, *, most: int) -> None:
        """Draw each class in the style of test images: the code of an image under its class, decoded as each class.

        Args:
            path: path of the picture.
            ids: indices of the test images, one row each.
            classes: names of all classes, one column each.
            title: title of the picture.
            most: maximum number of columns.
        """
        originals, codes, _ = self.test_images(ids)
        images = self.as_every_class(codes, len(classes))[:, :most]
        rows, columns = self.shows(ids), classes[:most]
        save_strips(path, originals, images, rows=rows, columns=columns, title=title, limits=self.limits())

    def chosen(self) -> np.ndarray:
        """Return the `[C]` condition that was chosen for all images.

        Raises:
            InputError: the run has no conditions, or the chosen one is none of them.
        """
        if self.run.condition is None:
            raise InputError("condition: the run has none; leave it out, or train one with --preset conditional_vae")
        return self.run.condition.parse(str(self.condition))

    def titled(self, title: str) -> str:
        """Return a figure's title, with the condition that was chosen for all images."""
        return title if self.condition is None else f"{title}; decoded as {self.condition}"

    def test_images(self, ids: Sequence[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """Return test images `[N, ...]` in [0, 1], their codes `[N, D]`, and their conditions `[N, C]` if any."""
        part = self.data.test.take(np.asarray(ids))
        return part.first(len(ids)), self.encode(part), part.conditions()

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
        return self.data.test.head(most)

    @property
    def code_shape(self) -> tuple[int, ...]:
        """Shape of the decoder's input for one example."""
        return code_shape(self.run.model, self.run.params, self.data.test)

    @property
    def latent_dim(self) -> int:
        """Number D of latent dimensions."""
        return math.prod(self.code_shape)

    @property
    def has_dimensions(self) -> bool:
        """True where each latent dimension is a real number, False for codes and categories."""
        return has_dimensions(self.run.model, self.run.params, self.data.test)

    def spread(self) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and deviation `[D]` of the prior or, for an autoencoder, of the test images' codes."""
        if self.run.reports_elbo:
            return np.zeros(self.latent_dim), np.ones(self.latent_dim)
        codes = self.encode(self.test_split(5000))
        return codes.mean(axis=0), codes.std(axis=0)


def _repeated(conditions: np.ndarray, axes: int, shape: tuple[int, ...]) -> np.ndarray:
    """Repeat conditions `[N, ...]`, each of so many axes, over the last axes of a shape, and return them as rows."""
    leading, own = conditions.shape[:-axes], conditions.shape[-axes:]
    aligned = conditions.reshape(*leading, *[1] * (len(shape) - len(leading)), *own)
    return np.broadcast_to(aligned, (*shape, *own)).reshape(-1, *own)
