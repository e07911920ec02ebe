"""Views of codes of many dimensions on a plane; with scikit-learn, imported when needed."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from jaxvae.errors import InputError


class View(NamedTuple):
    """Codes on a plane."""

    points: np.ndarray
    """`[N, 2]` points."""
    axes: tuple[str, str]
    """Labels of the two axes."""


def pca(codes: ArrayLike) -> View:
    """Project codes on their first two principal components, with a definite sign.

    Args:
        codes: `[N, D]`, N and D at least 2.

    Raises:
        InputError: there are fewer than 2 codes or dimensions.
    """
    from sklearn.decomposition import PCA

    codes = _check(codes)
    projection = PCA(n_components=2, svd_solver="full").fit(codes)
    shares = 100 * np.nan_to_num(projection.explained_variance_ratio_)
    first, second = (
        f"{name} component ({share:.0f} % of variance)" for name, share in zip(("first", "second"), shares)
    )
    return View(np.asarray(projection.transform(codes)), (first, second))


def tsne(codes: ArrayLike, *, seed: int = 0, perplexity: float = 30.0) -> View:
    """Map codes by t-SNE, which preserves small distances but not large ones, from the two principal components.

    It takes seconds per thousand codes. The same codes and seed give the same map on the same machine.

    Args:
        codes: `[N, D]`, N and D at least 2.
        seed: seed of scikit-learn's random state.
        perplexity: effective number of neighbours; less where there are fewer than three times as many codes.

    Raises:
        InputError: there are fewer than 2 codes or dimensions.

    Reference: van der Maaten & Hinton 2008.
    """
    from sklearn.manifold import TSNE

    codes = _check(codes)
    perplexity = min(perplexity, (len(codes) - 1) / 3)
    points = TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(codes)
    return View(np.asarray(points), ("t-SNE, first axis", "t-SNE, second axis"))


VIEWS = {"pca": pca, "tsne": tsne}
"""Views by name."""


def _check(codes: ArrayLike) -> np.ndarray:
    codes = np.asarray(codes, np.float32)
    if codes.ndim != 2 or min(codes.shape) < 2:
        raise InputError(f"codes: a view needs [N, D] with at least 2 codes of 2 dimensions, got {list(codes.shape)}")
    return codes
