"""Families of many shapes against SciPy in float64 where parameters are extreme, their limits, and sums to one."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special, stats

from jaxvae.distributions import (
    BetaBinomial,
    CategoricalLevels,
    DiscretizedLogistic,
    LogNormal,
    Normal,
    Ordinal,
    StudentT,
)
from jaxvae.distributions.levels import log_between
from jaxvae.distributions.ordinal import rising


def assert_same(got, expected):
    error = np.abs(np.float64(got) - expected) / (1 + np.abs(expected))
    assert error.max() < 1e-4, (error.argmax(), got[error.argmax()], expected[error.argmax()])


def test_student_t_of_every_size():
    values, scales, degrees = np.array(
        [*itertools.product([0.0, 1e-3, 1.0, 30.0, 1e4], [-6.0, 0.0, 5.0], [-4.0, 0.0, 2.0, 8.0, 12.0])]
    ).T
    got = StudentT(jnp.zeros(len(values)), jnp.float32(scales), jnp.float32(degrees), event_ndim=0).log_prob(
        jnp.float32(values)
    )
    assert_same(got, stats.t.logpdf(np.float64(np.float32(values)), np.exp(degrees), 0, np.exp(scales)))


def test_student_t_of_many_degrees_is_a_normal():
    x = jnp.linspace(-9, 9, 41)[:, None]
    normal = Normal(jnp.ones(1), jnp.full(1, 2 * 0.3)).log_prob(x)
    np.testing.assert_allclose(
        StudentT(jnp.ones(1), jnp.full(1, 0.3), jnp.full(1, 40.0)).log_prob(x), normal, rtol=1e-6
    )


def test_beta_binomial_of_every_size():
    counts, trials = np.array([(x, n) for n in (1, 12, 20_000) for x in {0, 1, n // 2, n - 1, n}]).T
    log_prob = jax.jit(lambda d, x: d.log_prob(x))
    for logit, log_concentration in itertools.product([-6.0, 0.0, 4.0], [-5.0, 0.0, 3.0, 9.0, 16.0]):
        d = BetaBinomial(jnp.float32(trials), jnp.float32(logit), jnp.float32(log_concentration), event_ndim=0)
        chance, concentration = special.expit([logit, -logit]), np.exp(log_concentration)
        expected = stats.betabinom.logpmf(counts, trials, *(chance * concentration))
        # SciPy subtracts logarithms of gamma functions: of large ones it keeps fewer digits.
        assert np.abs(log_prob(d, jnp.float32(counts)) - expected).max() < 1e-4 * (1 + np.abs(expected).max())


def test_gradients_of_the_beta_binomial_are_finite_everywhere():
    logits, log_concentrations, counts = np.meshgrid([-60.0, -8, 0, 3, 60], np.linspace(-61, 61, 62), [0, 1, 254, 255])

    def score(logit, log_concentration, count):
        return BetaBinomial(jnp.float32(255), logit, log_concentration, event_ndim=0).log_prob(count)

    arguments = [jnp.asarray(values.ravel(), jnp.float32) for values in (logits, log_concentrations, counts)]
    value, gradients = jax.jit(jax.vmap(jax.value_and_grad(score, argnums=(0, 1))))(*arguments)
    assert all(np.isfinite(found).all() for found in (value, *gradients))


def test_beta_binomial_of_a_large_concentration_is_a_binomial():
    x = np.arange(31)
    got = BetaBinomial(jnp.float32(30), jnp.full(31, 0.7), jnp.float32(200), event_ndim=0).log_prob(jnp.asarray(x))
    np.testing.assert_allclose(got, stats.binom.logpmf(x, 30, special.expit(0.7)), rtol=1e-5)


@pytest.mark.parametrize("log_scale", [-9.0, -3.0, 2.0])
@pytest.mark.parametrize("location", [-30.0, 0.0, 0.31, 1.0, 7.0])
def test_levels_sum_to_one(location, log_scale):
    x = jnp.arange(256) / 255
    logistic = DiscretizedLogistic(jnp.full(256, location), jnp.float32(log_scale), event_ndim=0)
    assert np.exp(np.float64(logistic.log_prob(x))).sum() == pytest.approx(1, abs=1e-4)
    score, gradient = jax.value_and_grad(lambda d: d.log_prob(x).sum())(logistic)
    assert np.isfinite(score)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient))


def test_pixels_of_bytes_are_levels_and_other_numbers_are_none():
    pixels = np.arange(256, dtype=np.uint8).astype(np.float32) / np.float32(255)
    families = [
        DiscretizedLogistic(jnp.full(256, 0.5), jnp.zeros(256), event_ndim=0),
        CategoricalLevels(jnp.zeros((256, 256)), event_ndim=0),
    ]
    for family in families:
        assert np.isfinite(family.log_prob(pixels)).all()
        for value in (-1 / 255, 0.5, 256 / 255, np.nan):
            assert (family.log_prob(jnp.full(256, value)) == -jnp.inf).all()


def test_difference_of_sigmoids_keeps_its_digits():
    lower = np.float32([-300.0, -20.0, -1.0, 0.0, 18.0, 300.0])
    for width in np.float32([1e-3, 0.5, 40.0]):
        upper = lower + width
        got = log_between(jnp.asarray(lower), jnp.asarray(upper))
        # The difference is that of -upper and -lower, too: where both are positive, float64 keeps that one's digits.
        a, b = (np.where(lower > 0, *pair).astype(np.float64) for pair in ((-upper, lower), (-lower, upper)))
        expected = special.log_expit(b) + np.log(-np.expm1(special.log_expit(a) - special.log_expit(b)))
        np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-6)
    assert log_between(jnp.float32(1), jnp.float32(1)) == -jnp.inf


def test_ordinal_of_close_thresholds_and_far_places():
    thresholds = rising(jnp.array([-2.0, -30.0, 1.0]))
    assert (np.diff(thresholds) >= 0).all()
    assert thresholds[0] == -2
    for location in (-200.0, 0.0, 200.0):
        d = Ordinal(jnp.full((), location), thresholds, event_ndim=0)
        np.testing.assert_allclose(d.probabilities.sum(), 1, rtol=1e-5)
        gradient = jax.grad(lambda place: Ordinal(place, thresholds, event_ndim=0).log_prob(3))(jnp.float32(location))
        assert np.isfinite(gradient)
    assert Ordinal(jnp.zeros(()), thresholds, event_ndim=0).log_prob(4) == -jnp.inf


def test_log_normal_is_a_normal_of_the_logarithm():
    x = jnp.array([[0.01, 3.0]])
    d = LogNormal(jnp.zeros(2), jnp.ones(2))
    np.testing.assert_allclose(
        d.log_prob(x), Normal(jnp.zeros(2), jnp.ones(2)).log_prob(jnp.log(x)) - jnp.log(x).sum(-1), rtol=1e-6
    )
    for value in (0.0, -1.0, np.nan):
        score, gradient = jax.value_and_grad(lambda d, value=value: d.log_prob(jnp.full(2, value)))(d)
        assert score == -jnp.inf
        assert all((leaf == 0).all() for leaf in jax.tree.leaves(gradient))
