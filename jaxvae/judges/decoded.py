"""Quality of decoded images: recognisability, diversity, and evenness of change along a path."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from jaxvae.judges.probes import Probe


class Recognised(NamedTuple):
    """Judgement of many images by a probe. The share alone would reward a decoder that repeats one digit."""

    share: float
    """Share of the images that the probe is sure of."""
    classes: float
    """Effective number of classes among these: exp of the entropy of their frequencies, 1 to K; 0 without any."""


def recognise(probe: Probe, images: ArrayLike) -> Recognised:
    """Judge images `[N, ...]` in [0, 1] by an independent probe."""
    probabilities = probe.probabilities(images)
    sure = probe.sure(images)
    _, counts = np.unique(probabilities[sure].argmax(axis=1), return_counts=True)
    frequencies = counts / max(counts.sum(), 1)
    classes = np.exp(-(frequencies * np.log(frequencies)).sum()) if len(counts) else 0.0
    return Recognised(float(sure.mean()), float(classes))


def unevenness(paths: ArrayLike, *, shortest: float = 0.0) -> np.ndarray:
    r"""Compute the largest step of each path over its mean step, in pixel space.

        max_t |x_{t+1} - x_t| / mean_t |x_{t+1} - x_t|

    It is 1 where all steps change the image equally, and T - 1 where one step makes the whole change.

    Args:
        paths: `[P, T, ...]` images along each path.
        shortest: length up to which a path counts as constant, without a ratio.

    Returns:
        `[P]`, NaN for constant paths.

    >>> unevenness([[[0.0], [1.0], [2.0]], [[0.0], [0.0], [5.0]], [[3.0], [3.0], [3.0]]])
    array([ 1.,  2., nan])
    """
    images = np.asarray(paths, np.float64)
    steps = np.linalg.norm(np.diff(images.reshape(*images.shape[:2], -1), axis=1), axis=-1)
    length = steps.sum(axis=1)
    return steps.max(axis=1) * steps.shape[1] / np.where(length > shortest, length, np.nan)


def spread(images: ArrayLike, kinds: ArrayLike, *, most: int = 200) -> float:
    """Compute the mean distance of two images of the same kind, over kinds: 0 where each kind is one image.

    Args:
        images: `[N, ...]`.
        kinds: `[N]` whole numbers.
        most: maximum number of images of a kind, the first ones.

    Returns:
        The mean Euclidean distance; NaN where no kind has two images.

    >>> spread([[0.0], [2.0], [5.0], [5.0]], [0, 0, 1, 1])
    1.0
    """
    from sklearn.metrics import pairwise_distances

    images, kinds = np.asarray(images, np.float64), np.asarray(kinds)
    parts = [images[kinds == kind][:most] for kind in np.unique(kinds)]
    sums = [(pairwise_distances(part.reshape(len(part), -1)).sum(), len(part)) for part in parts if len(part) > 1]
    means = [float(total) / (num * (num - 1)) for total, num in sums]
    return float(np.mean(means)) if means else float("nan")
