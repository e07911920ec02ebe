"""Simple generators of synthetic rows: independent columns, and a Gaussian copula. They are what a model must beat."""

from __future__ import annotations

import numpy as np

from jaxvae.judges.synthetic import Rows


def independent(train: Rows, num: int, *, seed: int = 0) -> Rows:
    """Draw each column by itself from the training rows: right marginals, and nothing between columns."""
    noise = np.random.default_rng(seed)
    return {name: noise.choice(column, num) for name, column in train.items()}


def gaussian_copula(train: Rows, num: int, *, seed: int = 0) -> Rows:
    """Draw rows whose normal scores are jointly normal, and whose columns are those of the training rows.

    Each column becomes the normal quantiles of its ranks, equal values in random order; correlated normal variables are
    drawn, and give back the values of the same ranks.

    Reference: Patki et al. 2016, https://doi.org/10.1109/DSAA.2016.49 (the synthetic data vault), section III.
    """
    from scipy.special import ndtr, ndtri

    noise = np.random.default_rng(seed)
    ranked = {name: np.sort(column) for name, column in train.items()}
    scores = np.stack([ndtri(_ranks(column, noise)) for column in train.values()])
    covariance = np.atleast_2d(np.corrcoef(scores))
    covariance = np.nan_to_num(covariance) + 1e-6 * np.eye(len(covariance))
    drawn = ndtr(noise.multivariate_normal(np.zeros(len(covariance)), covariance, num, method="cholesky"))
    return {
        name: column[np.minimum((level * len(column)).astype(int), len(column) - 1)]
        for (name, column), level in zip(ranked.items(), drawn.T)
    }


def _ranks(column: np.ndarray, noise: np.random.Generator) -> np.ndarray:
    """Return ranks between 0 and 1, those of equal values in random order."""
    order = np.lexsort([noise.random(len(column)), column])
    ranks = np.empty(len(column))
    ranks[order] = (np.arange(len(column)) + 0.5) / len(column)
    return ranks
