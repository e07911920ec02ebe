"""Independent judges: a classifier of images trained without a model, and nearest neighbours among codes."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from jaxvae.errors import InputError

SURE = 0.9
"""Least probability of one class at which a probe is sure of an image."""
_COMPONENTS, _HIDDEN, _MEMBERS, _EPOCHS = 80, 256, 3, 12


@dataclasses.dataclass(frozen=True, eq=False)
class Probe:
    """Ensemble classifier of images: the mean of a few networks' probabilities.

    Training with mixup makes it unsure between the classes. It is not `sure` of every real image either: compare with
    the share among test images.
    """

    classes: np.ndarray
    """`[K]` labels, in increasing order."""
    projection: Any
    """Scikit-learn's principal components."""
    scale: float
    members: tuple[Any, ...]
    """Scikit-learn's networks."""

    def probabilities(self, images: ArrayLike) -> np.ndarray:
        """Return `[N, K]` probabilities for images `[N, ...]`, in [0, 1] or uint8."""
        inputs = self.projection.transform(_flat(images)) / self.scale
        return np.mean([member.predict_proba(inputs) for member in self.members], axis=0)

    def predict(self, images: ArrayLike) -> np.ndarray:
        """Return `[N]` most probable labels."""
        return self.classes[self.probabilities(images).argmax(axis=1)]

    def accuracy(self, images: ArrayLike, labels: ArrayLike) -> float:
        """Return the share of images that are classified as their labels `[N]`."""
        return float(np.mean(self.predict(images) == np.asarray(labels)))

    def sure(self, images: ArrayLike) -> np.ndarray:
        """Return `[N]` booleans, True where one class has a probability of `SURE` or more."""
        return self.probabilities(images).max(axis=1) >= SURE


def fit_probe(images: ArrayLike, labels: ArrayLike, *, seed: int = 0) -> Probe:
    """Train a probe: small networks on principal components, with mixup.

    An epoch contains every image unchanged, and once blended with another, x = u x1 + (1 - u) x2, with the label of
    the first with probability u and of the second otherwise. For images halfway between two MNIST digits, plain
    networks are sure of 36 in 100, these of fewer than 1; for test digits these are sure of 77.

    Args:
        images: `[N, ...]` in [0, 1] or uint8, of any shape.
        labels: `[N]` integers of two or more classes.
        seed: seed of all randomness.

    Raises:
        InputError: there is only one class, or not one label for each image.

    Reference: Zhang et al. 2018, mixup, equation 1 (with labels drawn, not averaged); Lakshminarayanan et al. 2017.
    """
    from sklearn.decomposition import PCA

    inputs, labels = _flat(images), np.asarray(labels)
    classes = np.unique(labels)
    if labels.shape != inputs.shape[:1]:
        raise InputError(f"labels: shape {labels.shape} for {len(inputs)} images; give one for each")
    if len(classes) < 2:
        raise InputError(f"labels: nothing but {classes.tolist()}; a probe tells two or more classes apart")
    projection = PCA(min(_COMPONENTS, *inputs.shape), svd_solver="randomized", random_state=seed)
    inputs = projection.fit_transform(inputs)
    scale = float(inputs.std()) or 1.0
    generators = np.random.default_rng(seed).spawn(_MEMBERS)
    members = tuple(_fit_member(inputs / scale, labels, classes, generator) for generator in generators)
    return Probe(classes, projection, scale, members)


def _fit_member(inputs: np.ndarray, labels: np.ndarray, classes: np.ndarray, generator: np.random.Generator) -> Any:
    from sklearn.neural_network import MLPClassifier

    num = len(inputs)
    network = MLPClassifier(
        (_HIDDEN,),
        alpha=0.1,
        batch_size=min(256, num),
        learning_rate_init=2e-3,
        random_state=int(generator.integers(2**31)),
    )
    for _ in range(max(_EPOCHS, min(10_000 // num, 30))):  # few images need more epochs
        share = generator.uniform(size=num).astype(inputs.dtype)
        other = generator.permutation(num)
        blends = share[:, None] * inputs + (1 - share[:, None]) * inputs[other]
        drawn = np.where(generator.uniform(size=num) < share, labels, labels[other])
        network.partial_fit(np.concatenate([inputs, blends]), np.concatenate([labels, drawn]), classes=classes)
    return network


def nearest_neighbour_accuracy(
    train_codes: ArrayLike, train_labels: ArrayLike, test_codes: ArrayLike, test_labels: ArrayLike, *, k: int = 5
) -> float:
    """Return the share of test codes `[M, D]` whose label `[M]` is the most common of their k nearest training codes.

    >>> nearest_neighbour_accuracy([[0.0], [0.2], [5.0]], [3, 3, 8], [[0.1], [9.0]], [3, 3], k=1)
    0.5

    Raises:
        InputError: there are fewer than k training codes.
    """
    from sklearn.neighbors import KNeighborsClassifier

    train_codes = np.asarray(train_codes)
    if not 1 <= k <= len(train_codes):
        raise InputError(f"k: {k} neighbours of {len(train_codes)} training codes; give from 1 to {len(train_codes)}")
    neighbours = KNeighborsClassifier(k).fit(train_codes, np.asarray(train_labels))
    return float(neighbours.score(np.asarray(test_codes), np.asarray(test_labels)))


def _flat(images: ArrayLike) -> np.ndarray:
    images = np.asarray(images)
    scale = 255 if images.dtype == np.uint8 else 1
    return images.reshape(len(images), -1).astype(np.float32) / np.float32(scale)
