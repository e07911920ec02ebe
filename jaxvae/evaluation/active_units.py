"""Which dimensions of the code say anything about the example."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

THRESHOLD = 0.01
"""Burda et al. 2016 found the variances of trained models far from it on either side."""


def active_units(means: ArrayLike, *, threshold: float = THRESHOLD) -> np.ndarray:
    r"""Which latent units are active: those whose posterior mean moves with the example.

        A_u = Var_x( E_q(u|x)[u] ) > 0.01

    Args:
        means: `[N, D]` posterior means of N examples.
        threshold: of the variance.

    Returns:
        `[D]` booleans.

    Reference: Burda, Grosse & Salakhutdinov 2016, https://arxiv.org/abs/1509.00519, section 5.2.

    >>> print(active_units([[1.0, 0.05, 3.0], [-1.0, -0.05, 3.0]]))
    [ True False False]
    """
    return np.asarray(means, np.float64).var(axis=0) > threshold
