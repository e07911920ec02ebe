"""Judges of synthetic rows of a table: resemblance, usefulness, detection, and distance to the real rows."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from jaxvae.errors import InputError

Rows = dict[str, np.ndarray]
"""Columns `[N]` by name: numbers, or words."""
BINS = 10
"""Number of bins of a column of numbers, at the deciles of the real rows."""
MOST_FITTED, MOST_COMPARED = 20_000, 2000
"""Most rows for detection, and most rows whose nearest neighbours are looked up."""
FOLDS = 3
MISSING = -1
"""Number of what is missing, of a word that the real rows do not have included."""


class Columns(NamedTuple):
    """Meaning of the columns of a table, from its real rows."""

    names: tuple[str, ...]
    words: dict[str, np.ndarray]
    """Words of each column of categories, in alphabetical order."""
    edges: dict[str, np.ndarray]
    """Edges of the bins of each column of numbers."""
    centre: dict[str, tuple[float, float]]
    """Mean and deviation of each column of numbers."""

    @classmethod
    def of(cls, real: Rows) -> Columns:
        """Return the meaning of the columns of real rows."""
        words = {name: np.unique(column) for name, column in real.items() if column.dtype.kind in "UO"}
        numbers = {name: _floats(column) for name, column in real.items() if name not in words}
        levels = np.linspace(0, 1, BINS + 1)[1:-1]
        return cls(
            tuple(real),
            words,
            {name: np.unique(np.nanquantile(column, levels)) for name, column in numbers.items()},
            {name: (float(np.nanmean(column)), float(np.nanstd(column)) or 1.0) for name, column in numbers.items()},
        )

    def codes(self, rows: Rows, name: str) -> np.ndarray:
        """Return `[N]` numbers of the words or bins of a column."""
        if name in self.words:
            place = np.searchsorted(self.words[name], rows[name])
            place = np.minimum(place, len(self.words[name]) - 1)
            return np.where(self.words[name][place] == rows[name], place, MISSING)
        column = _floats(rows[name])
        return np.where(np.isnan(column), MISSING, np.searchsorted(self.edges[name], column, side="right"))

    def features(self, rows: Rows, *without: str) -> tuple[np.ndarray, list[bool]]:
        """Return `[N, F]` numbers for trees, categories by their numbers, and where these are."""
        names = [name for name in self.names if name not in without]
        columns = [self.codes(rows, name) if name in self.words else _floats(rows[name]) for name in names]
        return np.stack(columns, axis=1).astype(np.float64), [name in self.words for name in names]

    def points(self, rows: Rows) -> np.ndarray:
        """Return `[N, F]` points for distances: numbers in deviations, and categories a distance of 1 apart."""
        parts = []
        for name in self.names:
            if name in self.words:
                parts.append(np.eye(len(self.words[name]) + 1)[self.codes(rows, name)] / np.sqrt(2))
            else:
                mean, deviation = self.centre[name]
                parts.append(np.nan_to_num((_floats(rows[name]) - mean) / deviation)[:, None])
        return np.concatenate(parts, axis=1)


def marginals(columns: Columns, real: Rows, synthetic: Rows) -> dict[str, float]:
    """Return the resemblance of each column, from 0 to 1.

    It is 1 - the Kolmogorov-Smirnov distance of numbers, and 1 - the total variation of categories.
    """
    from scipy.stats import ks_2samp

    def of(name: str) -> float:
        if name in columns.words:
            return 1 - _variation(columns.codes(real, name), columns.codes(synthetic, name))
        a, b = (_floats(rows[name]) for rows in (real, synthetic))
        return 1 - float(ks_2samp(a[~np.isnan(a)], b[~np.isnan(b)]).statistic)

    return {name: of(name) for name in columns.names}


def pairs(columns: Columns, real: Rows, synthetic: Rows) -> np.ndarray:
    """Return `[D, D]` resemblances of pairs of columns: 1 - the total variation of their joint words and bins."""
    codes = {name: [columns.codes(rows, name) for rows in (real, synthetic)] for name in columns.names}
    found = np.ones((len(columns.names),) * 2)
    for i, one in enumerate(columns.names):
        for j, other in enumerate(columns.names[:i]):
            joint = [a * 10_000 + b for a, b in zip(codes[one], codes[other])]
            found[i, j] = found[j, i] = 1 - _variation(*joint)
    return found


def _variation(real: np.ndarray, synthetic: np.ndarray) -> float:
    values, numbers = np.unique(np.concatenate([real, synthetic]), return_inverse=True)
    counts = [np.bincount(part, minlength=len(values)) for part in np.split(numbers, [len(real)])]
    shares = [count / count.sum() for count in counts]
    return float(np.abs(shares[0] - shares[1]).sum() / 2)


def usefulness(columns: Columns, train: Rows, test: Rows, target: str, *, seed: int = 0) -> float:
    """Return how well gradient boosting that learns from rows, real or synthetic, predicts a column of real test rows.

    It is R^2 of a number, and of a category the mean AUC of one class against the rest.

    Raises:
        InputError: the target is a column of one category.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from sklearn.metrics import r2_score, roc_auc_score

    train, test = (_rows(rows, _known(columns, rows, target)) for rows in (train, test))
    x, categorical = columns.features(train, target)
    unseen, _ = columns.features(test, target)
    options: dict[str, Any] = {"random_state": seed, "categorical_features": categorical}
    if target not in columns.words:
        model = HistGradientBoostingRegressor(**options).fit(x, _floats(train[target]))
        return float(r2_score(_floats(test[target]), model.predict(unseen)))
    y, truth = columns.codes(train, target), columns.codes(test, target)
    if len(np.unique(truth)) < 2:
        raise InputError(f"target: the test rows have one {target} alone; name another column")
    if len(np.unique(y)) < 2:
        return 0.5
    model = HistGradientBoostingClassifier(**options).fit(x, y)
    chances = np.zeros((len(truth), len(columns.words[target])))
    chances[:, model.classes_] = model.predict_proba(unseen)
    there = np.unique(truth)
    each = [roc_auc_score(truth == category, chances[:, category]) for category in there]
    return float(np.mean(each))


def detection(columns: Columns, real: Rows, synthetic: Rows, *, seed: int = 0) -> float:
    """Return the AUC of gradient boosting that tells synthetic rows from real ones, cross-validated; 0.5 is ideal."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.model_selection import StratifiedKFold, cross_val_score

    num = min(MOST_FITTED // 2, *(len(next(iter(rows.values()))) for rows in (real, synthetic)))
    (a, categorical), (b, _) = (columns.features(_some(rows, num, seed)) for rows in (real, synthetic))
    model = HistGradientBoostingClassifier(random_state=seed, categorical_features=categorical, max_iter=50)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    labels = np.repeat([0, 1], num)
    return float(cross_val_score(model, np.concatenate([a, b]), labels, cv=folds, scoring="roc_auc").mean())


class Closeness(NamedTuple):
    """Distances of synthetic rows to the training rows, beside those of held-out rows."""

    nearer_to_training: float
    """Share of synthetic rows that are nearer to a training row than to any of as many held-out rows; 0.5 is ideal."""
    distance: float
    """Median distance of a synthetic row to the nearest training row."""
    held_out_distance: float
    """The same of held-out rows: a smaller distance of synthetic rows would betray the training rows."""
    copies: float
    """Share of synthetic rows that equal a training row."""
    held_out_copies: float
    """The same of held-out rows."""


def closeness(columns: Columns, train: Rows, held_out: Rows, synthetic: Rows, *, seed: int = 0) -> Closeness:
    """Compare distances to the closest records, over equally many training and held-out rows."""
    from sklearn.neighbors import NearestNeighbors

    num = min(len(next(iter(rows.values()))) for rows in (train, held_out))
    few, other_few = (columns.points(_some(rows, num, seed)) for rows in (train, held_out))
    unseen, made = (columns.points(_some(rows, MOST_COMPARED, seed)) for rows in (held_out, synthetic))
    whole = columns.points(train)
    of_whole, of_train, of_held_out = (NearestNeighbors(n_neighbors=1).fit(rows) for rows in (whole, few, other_few))
    to_train, to_held_out = (index.kneighbors(made)[0][:, 0] for index in (of_train, of_held_out))
    nearer = np.mean(to_train < to_held_out) + np.mean(to_train == to_held_out) / 2
    distance, other = (of_whole.kneighbors(rows)[0][:, 0] for rows in (made, unseen))
    copies, others = (float(np.mean(found < 1e-9)) for found in (distance, other))
    return Closeness(float(nearer), float(np.median(distance)), float(np.median(other)), copies, others)


def _floats(column: np.ndarray) -> np.ndarray:
    return np.asarray(column, np.float64)


def _rows(rows: Rows, ids: np.ndarray) -> Rows:
    return {name: column[ids] for name, column in rows.items()}


def _some(rows: Rows, num: int, seed: int) -> Rows:
    """Return at most `num` rows, chosen at random: a table may be sorted."""
    whole = len(next(iter(rows.values())))
    return _rows(rows, np.random.default_rng(seed).permutation(whole)[:num])


def _known(columns: Columns, rows: Rows, target: str) -> np.ndarray:
    """Return the numbers of rows whose target is known."""
    if target in columns.words:
        return np.flatnonzero((rows[target] != "") & (columns.codes(rows, target) != MISSING))
    return np.flatnonzero(~np.isnan(_floats(rows[target])))
