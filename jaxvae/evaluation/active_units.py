"""Active units: the latent dimensions that depend on the example."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

THRESHOLD = 0.01
"""Threshold of the variance; Burda et al. 2016 found trained models' variances far above or far below it."""


def active_units(means: ArrayLike, *, threshold: float = THRESHOLD) -> np.ndarray:
    r"""Find the active latent units: those whose posterior mean varies with the example.

        A_u = Var_x( E_q(u|x)[u] ) > 0.01

    Args:
        means: `[N, D]` posterior means of N examples.
        threshold: variance above which a unit is active.

    Returns:
        `[D]` booleans.

    Reference: Burda, Grosse & Salakhutdinov 2016, https://arxiv.org/abs/1509.00519, section 5.2.

    >>> print(active_units([[1.0, 0.05, 3.0], [-1.0, -0.05, 3.0]]))
    [ True False False]
    """
    return np.asarray(means, np.float64).var(axis=0) > threshold
