"""Attribute directions, on codes whose classes lie where we put them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from jaxvae.errors import InputError
from jaxvae.latent import attributes

RNG = np.random.default_rng(3)
MIXING = np.array([[1.0, 0.8, 0.0], [0.0, 0.6, 0.3], [0.0, 0.0, 0.5]])
GAP = np.array([1.0, -0.5, 0.2])
HAS_IT = np.arange(600) % 3 == 0
CODES = jnp.asarray(RNG.normal(size=(600, 3)) @ MIXING + HAS_IT[:, None] * GAP, jnp.float32)


def test_the_difference_of_means():
    expected = np.asarray(CODES)[HAS_IT].mean(0) - np.asarray(CODES)[~HAS_IT].mean(0)
    np.testing.assert_allclose(attributes.attribute_vector(CODES, jnp.asarray(HAS_IT)), expected, atol=1e-5)


@pytest.mark.parametrize("codes", [CODES, CODES * jnp.array([1.0, 20.0, 0.05]) + 3, CODES + 3.0 * HAS_IT[:, None]])
def test_logistic_direction_is_scikit_learns(codes):
    """The third case is almost separable."""
    scale = np.asarray(codes).std(axis=0)
    inputs = (np.asarray(codes) - np.asarray(codes).mean(axis=0)) / scale
    oracle = LogisticRegression(C=1 / (len(codes) * attributes._PENALTY), tol=1e-8, max_iter=1000).fit(inputs, HAS_IT)
    expected = oracle.coef_[0] / scale
    found = np.asarray(attributes.logistic_direction(codes, jnp.asarray(HAS_IT)))
    cosine = found @ expected / np.linalg.norm(found) / np.linalg.norm(expected)
    assert cosine > 0.9999
    means = np.asarray(attributes.attribute_vector(codes, jnp.asarray(HAS_IT)))
    np.testing.assert_allclose(found @ found, found @ means, rtol=1e-4)


@pytest.mark.parametrize("method", ["mean", "logistic"])
def test_strength_one_is_the_way_from_one_mean_to_the_other(method):
    direction = attributes.attribute_direction(CODES, HAS_IT, method=method)
    mean = [np.asarray(CODES)[chosen].mean(0) for chosen in (~HAS_IT, HAS_IT)]
    moved = np.asarray(attributes.edit(jnp.asarray(mean[0]), direction, 1.0))
    np.testing.assert_allclose((moved - mean[1]) @ np.asarray(direction), 0, atol=1e-4)


def test_real_values_are_parted_at_the_median():
    values = np.asarray(CODES)[:, 1] + 0.1 * RNG.normal(size=600)
    found = attributes.attribute_direction(CODES, values)
    expected = attributes.attribute_vector(CODES, jnp.asarray(values > np.median(values)))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0, 0, 0, 1], [False, False, False, True]),
        ([4, 9, 9, 9], [False, True, True, True]),
        ([1, 2, 5, 5, 5], [False, False, True, True, True]),  # the median is the greatest value
        ([0.0, 0.0, 0.0, 1.0, 2.0], [False, False, False, True, True]),
    ],
)
def test_who_has_it(values, expected):
    np.testing.assert_array_equal(attributes.has_attribute(values), expected)


def test_orthogonal_directions_move_their_own_attribute_only():
    given = RNG.normal(size=(3, 8)).astype(np.float32)
    found = np.asarray(attributes.orthogonalize(jnp.asarray(given)))
    np.testing.assert_allclose(found @ given.T, np.diag((given**2).sum(axis=1)), atol=1e-4)


def test_what_depends_on_nothing_else_is_exact_beside_what_does():
    """The directions of all classes add up to nothing; one more attribute must leave them alone nevertheless."""
    classes = RNG.normal(size=(4, 8))
    classes -= classes.mean(axis=0)
    given = np.concatenate([classes, RNG.normal(size=(1, 8))]).astype(np.float32)
    found = np.asarray(attributes.orthogonalize(jnp.asarray(given)))
    np.testing.assert_allclose(found[4] @ given.T, [0, 0, 0, 0, (given[4] ** 2).sum()], atol=1e-3)


def test_edits_broadcast_and_have_gradients():
    z, direction = CODES[:4], jnp.array([1.0, 0.0, -2.0])
    strengths = jnp.array([[-1.0], [0.0], [2.0]])
    found = attributes.edit(z, direction, strengths)
    assert found.shape == (3, 4, 3)
    np.testing.assert_array_equal(found[1], z)
    np.testing.assert_allclose(found[2] - found[0], jnp.broadcast_to(3 * direction, (4, 3)), atol=1e-6)
    slope = jax.grad(lambda strength: attributes.edit(z, direction, strength).sum())(0.5)
    assert slope == 4 * direction.sum()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.ones(600), r"values: all are \[1.0\]; an attribute needs two or more different"),
        (np.where(HAS_IT, np.nan, 1), "values: .* of 600 are NaN or infinite"),
        (np.arange(5), r"values: shape \(5,\) for 600 codes"),
    ],
)
def test_values_that_tell_nothing_are_refused(values, message):
    with pytest.raises(InputError, match=message):
        attributes.attribute_direction(CODES, values)
