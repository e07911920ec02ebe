"""Quality of generated images by their features: Frechet distance, precision and recall.

Features come from any network of `jaxvae.features`, so a number belongs to its network and to the number of images:
say "FD-classifier, N = 5000", never "FID".
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from jaxvae.errors import InputError

BLOCK = 1000
"""Rows whose distances to all others are computed at once."""


class PrecisionRecall(NamedTuple):
    """Shares of samples that lie in the other set's manifold."""

    precision: float
    """Share of generated samples that lie among real ones: fidelity."""
    recall: float
    """Share of real samples that lie among generated ones: diversity."""


def frechet_distance(real: ArrayLike, generated: ArrayLike) -> float:
    r"""Compute the squared Frechet distance of two sets of features, each taken as a normal distribution.

        d^2 = |m_1 - m_2|^2 + tr( S_1 + S_2 - 2 (S_1 S_2)^(1/2) )

    It is biased upwards, the more the fewer the samples: compare at equal numbers.

    Args:
        real: `[N, F]` features, at least two.
        generated: `[M, F]` features, at least two.

    Raises:
        InputError: there are fewer than two, or the widths differ.

    Reference: Heusel et al. 2017, https://arxiv.org/abs/1706.08500, equation 6; Dowson & Landau 1982.

    >>> round(frechet_distance([[0.0], [2.0]], [[3.0], [5.0]]), 6)
    9.0
    """
    real, generated = _pair(real, generated)
    difference = real.mean(0) - generated.mean(0)
    one, other = (np.atleast_2d(np.cov(rows, rowvar=False)) for rows in (real, generated))
    values, vectors = np.linalg.eigh(one)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    # The eigenvalues of S_1 S_2 are those of this symmetric matrix, whose roots are real.
    joint = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ other @ root), 0)).sum()
    return float(difference @ difference + np.trace(one) + np.trace(other) - 2 * joint)


def precision_recall(real: ArrayLike, generated: ArrayLike, *, k: int = 3) -> PrecisionRecall:
    r"""Estimate precision and recall from balls around samples, which reach to the k-th nearest of the same set.

        precision = 1/M sum_j [ there is i with |g_j - r_i| <= radius_k(r_i) ],    recall with the sets exchanged

    Args:
        real: `[N, F]` features, more than k.
        generated: `[M, F]` features, more than k.
        k: rank of the neighbour.

    Raises:
        InputError: there are k or fewer, or the widths differ.

    Reference: Kynkäänniemi et al. 2019, https://arxiv.org/abs/1904.06991, equations 1 and 2.

    >>> precision_recall([[0.0], [1.0], [2.0], [9.0]], [[0.5], [1.5], [1.0], [30.0]], k=1)
    PrecisionRecall(precision=0.75, recall=1.0)
    """
    real, generated = _pair(real, generated)
    if not 1 <= k < min(len(real), len(generated)):
        raise InputError(f"k: must be from 1 to {min(len(real), len(generated)) - 1}, got {k}")
    return PrecisionRecall(_share_within(generated, real, k), _share_within(real, generated, k))


def _share_within(points: np.ndarray, centres: np.ndarray, k: int) -> float:
    # The nearest of a set's own points is the point itself.
    radii = np.concatenate([np.partition(_squared(block, centres), k, axis=1)[:, k] for block in _blocks(centres)])
    within = [(_squared(block, centres) <= radii).any(1) for block in _blocks(points)]
    return float(np.concatenate(within).mean())


def _blocks(rows: np.ndarray) -> list[np.ndarray]:
    return [rows[begin : begin + BLOCK] for begin in range(0, len(rows), BLOCK)]


def _squared(rows: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return `[N, M]` squared distances."""
    squares = (rows**2).sum(1)[:, None] - 2 * rows @ others.T + (others**2).sum(1)
    return np.maximum(squares, 0)


def _pair(real: ArrayLike, generated: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    one, other = np.asarray(real, np.float64), np.asarray(generated, np.float64)
    for name, rows in {"real": one, "generated": other}.items():
        if rows.ndim != 2 or len(rows) < 2:
            raise InputError(f"{name}: must be [N, F] with 2 rows or more, got shape {list(rows.shape)}")
    if one.shape[1] != other.shape[1]:
        raise InputError(f"generated: {other.shape[1]} features, the real ones have {one.shape[1]}")
    return one, other
