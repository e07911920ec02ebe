"""Normal scores: ranks against SciPy, the inverse, the slope, and densities that integrate to one."""

import json

import numpy as np
import pytest
import scipy.stats

from jaxvae.data import Dataset, Split, quantiles
from jaxvae.data.scaling import Scaling, fit_scaling, log_jacobians, scaled
from jaxvae.data.spaces import Real, Table
from jaxvae.errors import InputError

NOISE = np.random.default_rng(0)
SETS = {
    "skewed": np.exp(NOISE.normal(size=2000) * 2),
    "whole": NOISE.poisson(4, size=500).astype(float),
    "mostly zero": np.where(NOISE.random(600) < 0.8, 0, np.round(NOISE.exponential(1000, size=600))),
    "few": np.array([1.0, 2.0, 3.0, 2.0, 5.0]),
}


@pytest.mark.parametrize("name", SETS)
def test_scores_rise_and_are_undone(name):
    x = SETS[name]
    knots = quantiles.fit(x)
    assert (np.diff(knots.scores) > 0).all()
    assert (np.diff(knots.values) > 0).all()
    wide = np.concatenate([x, [x.min() - 3, x.max() * 2 + 3]])
    np.testing.assert_allclose(knots.undo(knots.apply(wide)), wide, rtol=1e-9, atol=1e-9)


def test_scores_are_the_normal_quantiles_of_the_ranks():
    x = SETS["skewed"]
    ranks = (scipy.stats.rankdata(x) - 0.5) / len(x)
    inner = np.abs(ranks - 0.5) < 0.48
    found = quantiles.fit(x).apply(x)
    assert np.abs(found - scipy.stats.norm.ppf(ranks))[inner].max() < 0.05
    assert scipy.stats.kstest(found, "norm").statistic < 0.02


def test_a_frequent_value_has_the_middle_of_its_ranks():
    x = SETS["mostly zero"]
    share = np.mean(x == 0)
    assert quantiles.fit(x).apply(np.zeros(1))[0] == pytest.approx(scipy.stats.norm.ppf(share / 2))


def test_the_slope_is_the_derivative_and_the_density_integrates_to_one():
    knots = quantiles.fit(SETS["skewed"])
    x = NOISE.uniform(0.01, 30, size=200)
    numeric = (knots.apply(x + 1e-7) - knots.apply(x - 1e-7)) / 2e-7
    np.testing.assert_allclose(np.exp(knots.log_slope(knots.apply(x))), numeric, rtol=1e-4)
    total = 0.0
    for low, high in zip(knots.values, knots.values[1:]):
        grid = np.linspace(low, high, 400)[1:-1]
        density = scipy.stats.norm.pdf(knots.apply(grid)) * np.exp(knots.log_slope(knots.apply(grid)))
        total += density.mean() * (high - low)
    assert total == pytest.approx(1, abs=0.01)


def test_a_frequent_value_gets_the_slope_between_its_neighbours():
    knots = quantiles.fit(SETS["whole"])
    at = knots.apply(np.array([4.0]))
    before, after = knots.apply(np.array([3.0, 5.0]))
    assert np.exp(knots.log_slope(at))[0] == pytest.approx((after - before) / 2)


def test_columns_of_two_values_are_left_alone():
    assert quantiles.fit(np.array([0.0, 1.0, 1.0])) is None


def test_a_table_is_scaled_by_kind_and_survives_json():
    x = np.stack([SETS["skewed"][:500], SETS["whole"], SETS["skewed"][500:1000], SETS["whole"] % 3], axis=1)
    observed = NOISE.random(x.shape) < 0.9
    rows = {"x": np.where(observed, x, 0).astype(np.float32), "observed": observed}
    table = Table((0, 0, 0, 3), kinds=("real", "count", "positive", "categorical"))
    data = Dataset("t", Split(rows), Split(rows)).of_space(table)
    scaling = fit_scaling("quantile", data)
    assert [*scaling.knots] == [0]
    found = scaled(data, scaling).train.x
    np.testing.assert_array_equal(found["x"][:, [1, 3]], rows["x"][:, [1, 3]])
    there = observed[:, 2]
    assert np.log(found["x"][there, 2]).mean() == pytest.approx(0, abs=1e-5)
    again = Scaling.from_json(json.loads(json.dumps(scaling.to_json())))
    np.testing.assert_allclose(again.undo_examples(found)["x"], rows["x"], rtol=1e-4, atol=1e-4)
    slopes = scaling.knots[0].log_slope(found["x"][:, 0]) * observed[:, 0] - np.log(scaling.factor[2]) * there
    np.testing.assert_allclose(log_jacobians(scaling, found), slopes, rtol=1e-6)


def test_vectors_are_scaled_too_and_signals_are_not():
    x = np.stack([SETS["skewed"][:500], SETS["whole"]], axis=1).astype(np.float32)
    vectors = Dataset("v", Split(x), Split(x)).of_space(Real((2,)))
    scaling = fit_scaling("quantile", vectors)
    found = scaled(vectors, scaling)
    assert found.train.x.std() == pytest.approx(1, abs=0.1)
    assert log_jacobians(scaling, found.train.x).shape == (500,)
    signals = Dataset("s", Split(x[..., None]), Split(x[..., None])).of_space(Real((2, 1)))
    with pytest.raises(InputError, match="scale: quantile is for columns, and s holds"):
        fit_scaling("quantile", signals)


def test_a_value_that_occurs_often_is_drawn_as_often_as_it_occurs():
    """Normal scores become the empirical distribution: half are zeros, others are round, and none lies between."""
    noise = np.random.default_rng(3)
    x = np.where(noise.random(2000) < 0.5, 0, 50 * noise.poisson(4, 2000) + 100.0)
    knots = quantiles.fit(x)
    drawn = knots.undo_drawn(noise.normal(size=100_000))
    kept = [value for value, count in zip(*np.unique(x, return_counts=True)) if count >= 5]
    for value in kept:
        assert np.mean(drawn == value) == pytest.approx(np.mean(x == value), abs=0.006)
    assert np.isin(drawn, x).mean() > 0.99 > 0.9 > np.isin(knots.undo(noise.normal(size=1000)), x).mean()
    np.testing.assert_allclose(knots.undo_drawn(knots.apply(np.array(kept))), kept)


def test_values_that_occur_once_are_drawn_between_others():
    knots = quantiles.fit(np.random.default_rng(4).normal(size=500))
    scores = np.linspace(-2, 2, 50)
    np.testing.assert_array_equal(knots.undo_drawn(scores), knots.undo(scores))
    earlier = knots._replace(often=None)
    np.testing.assert_array_equal(earlier.undo_drawn(scores), knots.undo(scores))
