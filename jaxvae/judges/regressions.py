"""Judge that reads numbers from images, such as the parameters that they were drawn from."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from jaxvae.errors import InputError
from jaxvae.judges.probes import flat

_COMPONENTS, _HIDDEN, _EPOCHS = 80, 256, 40


@dataclasses.dataclass(frozen=True, eq=False)
class Regression:
    """Network that predicts numbers of an image from its principal components."""

    projection: Any
    """Scikit-learn's principal components."""
    scale: float
    mean: np.ndarray
    std: np.ndarray
    network: Any
    """Scikit-learn's network, of standardised numbers."""

    def predict(self, images: ArrayLike) -> np.ndarray:
        """Return `[N, K]` predicted numbers of images `[N, ...]`, in [0, 1] or uint8."""
        predicted = self.network.predict(self.projection.transform(flat(images)) / self.scale)
        return np.asarray(predicted.reshape(-1, len(self.mean)) * self.std + self.mean)

    def explained(self, images: ArrayLike, numbers: ArrayLike) -> np.ndarray:
        """Return `[K]` shares of the variance of true numbers `[N, K]` that the predictions explain, R^2."""
        true = np.asarray(numbers)
        return 1 - np.mean((self.predict(images) - true) ** 2, axis=0) / true.var(axis=0)


def fit_regression(images: ArrayLike, numbers: ArrayLike, *, epochs: int = _EPOCHS, seed: int = 0) -> Regression:
    """Train a regression by least squares of standardised numbers.

    Args:
        images: `[N, ...]` in [0, 1] or uint8, of any shape.
        numbers: `[N, K]` numbers of each image, none of them constant.
        epochs: number of passes over the images.
        seed: seed of all randomness.

    Raises:
        InputError: there is not one row of numbers for each image.
    """
    from sklearn.decomposition import PCA
    from sklearn.neural_network import MLPRegressor

    inputs, wanted = flat(images), np.asarray(numbers, np.float64)
    if wanted.ndim != 2 or len(wanted) != len(inputs):
        raise InputError(f"numbers: shape {wanted.shape} for {len(inputs)} images; give one row for each")
    projection = PCA(min(_COMPONENTS, *inputs.shape), svd_solver="randomized", random_state=seed)
    inputs = projection.fit_transform(inputs)
    scale, mean, std = float(inputs.std()) or 1.0, wanted.mean(axis=0), wanted.std(axis=0)
    batch = min(256, len(inputs))
    options: dict[str, Any] = {"alpha": 0.1, "learning_rate_init": 2e-3, "random_state": seed}
    network = MLPRegressor(hidden_layer_sizes=(_HIDDEN,), batch_size=batch, **options)
    for _ in range(epochs):
        network.partial_fit(inputs / scale, ((wanted - mean) / std).squeeze())
    return Regression(projection, scale, mean, std, network)
