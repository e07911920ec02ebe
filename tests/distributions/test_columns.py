"""Rows of a table against a sum over columns by SciPy; missing values."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special, stats

from jaxvae.distributions import Bernoulli, Categorical, Columns, Normal
from jaxvae.distributions.sampling import point
from jaxvae.rng import example_keys

NOISE = np.random.default_rng(0)
MEAN, LOG_VAR, COIN = NOISE.normal(size=(3, 4, 2))
CLASSES = NOISE.normal(size=(4, 1, 3))
ROWS = Columns(
    (
        Normal(jnp.asarray(MEAN), jnp.asarray(LOG_VAR), event_ndim=0),
        Bernoulli(jnp.asarray(COIN), event_ndim=0),
        Categorical(jnp.asarray(CLASSES), event_ndim=0),
    ),
    ((0, 3), (4, 1), (2,)),
)
X = np.array([[0.3, 1, 2, -1.0, 0], [1.3, 0, 1, 0.1, 1], [-2.0, 0, 0, 2.2, 0], [0.0, 1, 1, 0.0, 1]])


def per_column():
    """`[4, 5]` log-probabilities of all cells."""
    normal = stats.norm.logpdf(X[:, [0, 3]], MEAN, np.exp(LOG_VAR / 2))
    coin = stats.bernoulli.logpmf(X[:, [4, 1]], special.expit(COIN))
    classes = np.take_along_axis(special.log_softmax(CLASSES, -1)[:, 0], X[:, 2, None].astype(int), 1)
    return np.stack([normal[:, 0], coin[:, 1], classes[:, 0], normal[:, 1], coin[:, 0]], axis=1)


def test_a_row_is_the_sum_of_its_columns():
    for value in (jnp.asarray(X), {"x": jnp.asarray(X), "observed": jnp.ones(X.shape, bool)}):
        np.testing.assert_allclose(jax.jit(lambda d, x: d.log_prob(x))(ROWS, value), per_column().sum(1), rtol=1e-5)


def test_a_missing_value_is_left_out_whatever_stands_in_its_place():
    observed = np.array([[1, 1, 0, 1, 1], [0, 1, 1, 1, 0], [0, 0, 0, 0, 0], [1, 0, 1, 0, 1]], bool)
    for hole in (0.0, np.nan, -7.0, np.inf):
        value = {"x": jnp.asarray(np.where(observed, X, hole), jnp.float32), "observed": jnp.asarray(observed)}
        score, gradient = jax.value_and_grad(lambda d, value=value: d.log_prob(value).sum())(ROWS)
        np.testing.assert_allclose(ROWS.log_prob(value), (per_column() * observed).sum(1), rtol=1e-5, atol=1e-6)
        assert np.isfinite(score)
        assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient))
        np.testing.assert_array_equal(np.asarray(gradient.heads[0].mean)[2], 0)  # nothing of this row is observed


def test_a_hole_has_the_gradient_of_a_table_without_the_column():
    whole = jnp.asarray(X, jnp.float32)
    value = {"x": whole.at[:, 2].set(jnp.nan), "observed": jnp.ones(X.shape, bool).at[:, 2].set(False)}
    without = Columns(ROWS.heads[:2], ((0, 2), (3, 1)))
    holed = jax.grad(lambda d: d.log_prob(value).sum())(ROWS)
    dropped = jax.grad(lambda d: d.log_prob(jnp.delete(whole, 2, axis=1)).sum())(without)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6), holed.heads[:2], dropped.heads)


def test_samples_have_each_columns_moments():
    num = 20_000
    many = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf[0], (num, *leaf.shape[1:])), ROWS)
    row = jax.jit(lambda d, key: d.sample(key))(many, jax.random.key(0))
    assert row["observed"].all()
    chances = special.softmax(CLASSES[0, 0])
    expected = [MEAN[0, 0], special.expit(COIN[0, 1]), chances @ np.arange(3), MEAN[0, 1], special.expit(COIN[0, 0])]
    x = np.float64(row["x"])
    np.testing.assert_array_less(np.abs(x.mean(0) - expected), 6 * x.std(0) / np.sqrt(num))
    np.testing.assert_array_less(np.abs(np.corrcoef(x.T) - np.eye(5)), 6 / np.sqrt(num))


def test_each_example_has_its_own_key():
    keys = example_keys(jax.random.key(0), jnp.arange(4))
    together = ROWS.sample(keys)["x"]
    for i, key in enumerate(keys):
        alone = jax.tree.map(lambda leaf, i=i: leaf[i], ROWS).sample(key)["x"]
        np.testing.assert_allclose(together[i], alone, rtol=1e-6)


def test_the_point_has_means_and_likeliest_categories():
    row = point(ROWS)
    likeliest = np.stack([MEAN[:, 0], COIN[:, 1] > 0, CLASSES[:, 0].argmax(-1), MEAN[:, 1], COIN[:, 0] > 0], axis=1)
    np.testing.assert_allclose(row["x"], likeliest, rtol=1e-6)
    assert ROWS.log_prob(row).shape == (4,)


def test_a_table_of_other_columns_is_refused():
    with pytest.raises(ValueError, match="no row of a table of 5 columns"):
        ROWS.log_prob(jnp.zeros((4, 4)))
