"""Outlier scores beside a VAE's, and what a score is worth."""

import numpy as np
import pytest
from scipy.stats import rankdata

from jaxvae.errors import InputError
from jaxvae.judges.outliers import BASELINES, SVM_EXAMPLES, detection

DRAW = np.random.default_rng(0)


@pytest.mark.parametrize("name", BASELINES)
def test_every_baseline_finds_what_lies_apart(name):
    train, near, far = (DRAW.normal(size=(num, 4)) * [1, 1, 0.1, 0.1] for num in (300, 50, 20))
    far[:, 2:] += 2
    scorer = BASELINES[name](train, 2, 0)
    scores = scorer(np.concatenate([near, far]))
    assert detection(scores, np.arange(70) >= 50)["auroc"] > 0.95
    np.testing.assert_allclose(scorer(near[3:4]), scores[3:4], rtol=1e-6)


def test_small_and_large_training_sets_are_fitted_too():
    for name in BASELINES:
        assert np.isfinite(BASELINES[name](np.eye(3)[:2], 20, 0)(np.eye(3))).all()
    assert BASELINES["one_class_svm"](DRAW.normal(size=(SVM_EXAMPLES + 50, 1)), 1, 0)(np.zeros((1, 1))).shape == (1,)


def test_the_area_is_that_of_the_rank_sum():
    scores, anomalous = DRAW.normal(size=200).round(1), DRAW.random(200) < 0.3
    num = anomalous.sum()
    area = (rankdata(scores)[anomalous].sum() - num * (num + 1) / 2) / (num * (200 - num))
    assert detection(scores, anomalous)["auroc"] == pytest.approx(area)


def test_a_random_score_lands_at_the_base_rate():
    anomalous = np.arange(20_000) % 20 == 0
    found = detection(DRAW.normal(size=20_000), anomalous)
    assert found["auroc"] == pytest.approx(0.5, abs=6 * 0.29 / 1000**0.5)
    assert found["average_precision"] == pytest.approx(0.05, abs=0.012)


@pytest.mark.parametrize(
    ("anomalous", "says"), [(np.ones(5, bool), "all are anomalies"), (np.zeros(5, bool), "no anomaly")]
)
def test_one_kind_alone_has_no_detection(anomalous, says):
    with pytest.raises(InputError, match=says):
        detection(np.arange(5.0), anomalous)
