"""Outlier scores without a VAE, to be put beside its own: the higher, the more anomalous."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from jaxvae.errors import InputError

SVM_EXAMPLES = 3000
"""Maximum number of training rows of the one-class SVM, whose time grows with their square."""
NEIGHBOURS = 5
"""Number of nearest training rows whose mean distance is a score."""
AT_ONCE = 500
"""Number of rows whose neighbours are looked up together."""
Scorer = Callable[[np.ndarray], np.ndarray]
"""Function from `[M, D]` rows to `[M]` scores."""


def pca(train: np.ndarray, num_components: int, seed: int = 0) -> Scorer:
    """Return the squared distance to the plane of the first principal components of the training rows."""
    from sklearn.decomposition import PCA

    most = min(num_components, len(train) - 1, train.shape[1])
    fitted = PCA(max(1, most), random_state=seed).fit(train)

    def score(rows: np.ndarray) -> np.ndarray:
        return np.square(rows - fitted.inverse_transform(fitted.transform(rows))).sum(axis=1)

    return score


def isolation_forest(train: np.ndarray, num_components: int, seed: int = 0) -> Scorer:
    """Return the scores of a forest of random trees, in which outliers are cut off early (Liu et al. 2008)."""
    from sklearn.ensemble import IsolationForest

    fitted = IsolationForest(random_state=seed).fit(train)
    return lambda rows: -fitted.score_samples(rows)


def one_class_svm(train: np.ndarray, num_components: int, seed: int = 0) -> Scorer:
    """Return minus the decision function of a one-class SVM of some training rows, at most `SVM_EXAMPLES`."""
    from sklearn.svm import OneClassSVM

    chosen = np.random.default_rng(seed).permutation(len(train))[:SVM_EXAMPLES]
    fitted = OneClassSVM(gamma="scale", nu=0.1).fit(train[np.sort(chosen)])
    return lambda rows: -fitted.decision_function(rows)


def nearest_neighbours(train: np.ndarray, num_components: int, seed: int = 0) -> Scorer:
    """Return the mean distance to the nearest training rows, `NEIGHBOURS` or all if there are fewer."""
    from sklearn.neighbors import NearestNeighbors

    fitted = NearestNeighbors(n_neighbors=min(NEIGHBOURS, len(train)), algorithm="brute").fit(train)

    def score(rows: np.ndarray) -> np.ndarray:
        parts = [rows[first : first + AT_ONCE] for first in range(0, len(rows), AT_ONCE)]
        return np.concatenate([fitted.kneighbors(part)[0].mean(axis=1) for part in parts])

    return score


BASELINES: dict[str, Callable[[np.ndarray, int, int], Scorer]] = {
    "pca": pca,
    "isolation_forest": isolation_forest,
    "one_class_svm": one_class_svm,
    "nearest_neighbours": nearest_neighbours,
}
"""Functions from `[N, D]` training rows, a number of components and a seed to a scorer, by name."""


def detection(scores: np.ndarray, anomalous: np.ndarray) -> dict[str, float]:
    """Return the area under the ROC curve and the average precision of scores, neither of which has a threshold.

    A random score has an area of 1/2, and the share of anomalies as its average precision.

    Args:
        scores: `[N]`, the higher, the more anomalous.
        anomalous: `[N]` True for an anomaly.

    Raises:
        InputError: all examples are anomalies, or none.

    >>> detection(np.array([0.1, 0.4, 0.3, 0.9]), np.array([False, False, True, True]))
    {'auroc': 0.75, 'average_precision': 0.8333333333333333}
    """
    from sklearn.metrics import average_precision_score, roc_auc_score

    if anomalous.all() or not anomalous.any():
        found = "all are anomalies" if anomalous.all() else "there is no anomaly"
        raise InputError(f"normal: of the {len(anomalous)} examples {found}; name other classes, or another data set")
    return {
        "auroc": float(roc_auc_score(anomalous, scores)),
        "average_precision": float(average_precision_score(anomalous, scores)),
    }
