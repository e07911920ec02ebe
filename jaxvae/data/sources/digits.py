"""Scikit-learn's bundled 8x8 digits, which need no download."""

from __future__ import annotations

import numpy as np

from jaxvae.data.dataset import Dataset, Split
from jaxvae.data.partition import divide, random_parts
from jaxvae.data.spaces import Pixels


def load_digits() -> Dataset:
    """Load 1,797 digits: 1,297 to train, 200 to validate, 300 to test, every writer in each."""
    import sklearn.datasets

    # The file is ordered by writer: a permutation mixes them.
    grey, label = sklearn.datasets.load_digits(return_X_y=True)
    image = np.round(grey * (255 / 16)).astype(np.uint8).reshape(-1, 8, 8, 1)
    parts = random_parts(len(image), validation=200, test=300)
    return divide("digits", Split(image, label.astype(np.int32)), parts, Pixels((8, 8, 1), "ink"))
