"""Judges of codes by groups: kinds of cells that they should tell apart, and batches that they should not."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from jaxvae.errors import InputError

FOLDS = 5
"""Parts of a cross-validation; codes of each are judged by the others."""
TREES = 300
"""Trees of a random forest."""


def neighbours_agree(codes: ArrayLike, groups: ArrayLike, *, k: int = 10, seed: int = 0) -> float:
    """Return the share of codes `[N, D]` whose group `[N]` is the commonest of their k nearest in the other folds.

    Raises:
        InputError: there is one group, or fewer codes than the folds need.
    """
    from sklearn.model_selection import cross_val_predict
    from sklearn.neighbors import KNeighborsClassifier

    codes, groups = _checked(codes, groups)
    if len(codes) <= 2 * k:
        raise InputError(f"k: {k} neighbours of {len(codes)} codes; give fewer than half as many")
    found = cross_val_predict(KNeighborsClassifier(k), codes, groups, cv=_folds(groups, seed))
    return float(np.mean(found == groups))


def clusters_agree(codes: ArrayLike, groups: ArrayLike, *, seed: int = 0) -> float:
    """Return the adjusted Rand index of k-means clusters of codes `[N, D]`, as many as groups `[N]`; 0 is chance.

    Reference: Hubert & Arabie 1985, https://doi.org/10.1007/BF01908075.

    Raises:
        InputError: there is one group.
    """
    from sklearn.cluster import KMeans
    from sklearn.metrics import adjusted_rand_score

    codes, groups = _checked(codes, groups)
    clusters = KMeans(len(np.unique(groups)), n_init=10, random_state=seed).fit_predict(codes)
    return float(adjusted_rand_score(groups, clusters))


def separability(codes: ArrayLike, groups: ArrayLike, *, seed: int = 0) -> float:
    """Return the area under the ROC curve of a random forest that tells the groups `[N]` of codes `[N, D]` apart.

    Each code is judged by trees that learned from the other folds; 0.5 is chance, 1 tells all. Of more than two groups
    it is the mean over pairs.

    Raises:
        InputError: there is one group.
    """
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import cross_val_predict

    codes, groups = _checked(codes, groups)
    forest = RandomForestClassifier(TREES, min_samples_leaf=5, random_state=seed)
    chances = cross_val_predict(forest, codes, groups, cv=_folds(groups, seed), method="predict_proba")
    scores = chances[:, 1] if chances.shape[1] == 2 else chances
    return float(roc_auc_score(groups, scores, multi_class="ovo"))


def _folds(groups: np.ndarray, seed: int) -> Any:
    from sklearn.model_selection import StratifiedKFold

    return StratifiedKFold(FOLDS, shuffle=True, random_state=seed)


def _checked(codes: ArrayLike, groups: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    codes, groups = np.asarray(codes, np.float32), np.asarray(groups)
    if codes.ndim != 2 or groups.shape != codes.shape[:1]:
        raise InputError(f"groups: shape {groups.shape} for codes {codes.shape}; give one for each of [N, D]")
    sizes = np.unique(groups, return_counts=True)[1]
    if len(sizes) < 2 or sizes.min() < FOLDS:
        raise InputError(
            f"groups: {len(sizes)} of {sizes.min()} codes or more; give 2 or more, of {FOLDS} or more each"
        )
    return codes, groups
