"""What decoded images are worth: whether they show anything, how many different things, and how evenly they change."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from jaxvae.evaluation.probes import Probe


class Recognised(NamedTuple):
    """What a probe makes of many images. One number alone would praise a decoder that knows one digit by heart."""

    share: float
    """Of the images, those that the probe is sure of."""
    classes: float
    """The effective number of classes among these: exp of the entropy of their frequencies, 1 to K; 0 if there are
    none."""


def recognise(probe: Probe, images: ArrayLike) -> Recognised:
    """Ask an independent probe about images `[N, ...]` in [0, 1]."""
    probabilities = probe.probabilities(images)
    sure = probe.sure(images)
    _, counts = np.unique(probabilities[sure].argmax(axis=1), return_counts=True)
    frequencies = counts / max(counts.sum(), 1)
    classes = np.exp(-(frequencies * np.log(frequencies)).sum()) if len(counts) else 0.0
    return Recognised(float(sure.mean()), float(classes))


def unevenness(paths: ArrayLike, *, shortest: float = 0.0) -> np.ndarray:
    r"""The largest step of each path over its mean step, among pixels.

        max_t |x_{t+1} - x_t| / mean_t |x_{t+1} - x_t|

    It is 1 where every step changes the image as much as every other, and T - 1 where a single step does it all.

    Args:
        paths: `[P, T, ...]` images along each path.
        shortest: sum of the steps up to which a path is no change, and has no such ratio.

    Returns:
        `[P]`, NaN of paths that are no change.

    >>> unevenness([[[0.0], [1.0], [2.0]], [[0.0], [0.0], [5.0]], [[3.0], [3.0], [3.0]]])
    array([ 1.,  2., nan])
    """
    images = np.asarray(paths, np.float64)
    steps = np.linalg.norm(np.diff(images.reshape(*images.shape[:2], -1), axis=1), axis=-1)
    length = steps.sum(axis=1)
    return steps.max(axis=1) * steps.shape[1] / np.where(length > shortest, length, np.nan)
