"""Likelihoods of levels and of t variables: the decoder's outputs reach their parameters."""

import jax.numpy as jnp
import numpy as np
from scipy import special, stats

from jaxvae.data.spaces import Pixels, Real
from jaxvae.distributions import BetaBinomialLevels
from jaxvae.facts import Facts
from jaxvae.likelihoods import LIKELIHOODS

OUTPUTS = np.random.default_rng(0)


def test_halves_are_locations_and_scales():
    row = LIKELIHOODS["discretized_logistic"]()
    facts = Facts(Pixels((2, 2, 3)), 2)
    assert row.decoder_shape(facts) == (2, 2, 6)
    outputs = OUTPUTS.normal(size=(5, 2, 2, 6))
    location, scale = outputs[..., :3], np.exp(outputs[..., 3:])
    level = OUTPUTS.integers(256, size=(5, 2, 2, 3))
    upper = np.where(level == 255, 1, stats.logistic.cdf((level + 0.5) / 255, location, scale))
    lower = np.where(level == 0, 0, stats.logistic.cdf((level - 0.5) / 255, location, scale))
    got = row.build(facts)(jnp.asarray(outputs)).log_prob(level / 255)
    np.testing.assert_allclose(got, np.log(upper - lower).sum((1, 2, 3)), rtol=1e-5)


def test_halves_are_logits_and_concentrations():
    row = LIKELIHOODS["beta_binomial"]()
    facts = Facts(Pixels((2, 2, 3)), 2)
    assert row.decoder_shape(facts) == (2, 2, 6)
    outputs, level = OUTPUTS.normal(size=(5, 2, 2, 6)), OUTPUTS.integers(256, size=(5, 2, 2, 3))
    mean, concentration = special.expit(outputs[..., :3]), np.exp(outputs[..., 3:])
    expected = stats.betabinom.logpmf(level, 255, mean * concentration, (1 - mean) * concentration).sum((1, 2, 3))
    np.testing.assert_allclose(row.build(facts)(jnp.asarray(outputs)).log_prob(level / 255), expected, rtol=1e-5)


def test_all_levels_at_once_have_the_probabilities_of_scipy():
    """From a concentration that puts all mass on both ends to one that makes it a binomial."""
    logits, log_concentration = OUTPUTS.normal(size=40) * 2, np.linspace(-8, 9, 40)
    mean, concentration = special.expit(logits)[:, None], np.exp(log_concentration)[:, None]
    expected = stats.betabinom.pmf(np.arange(256), 255, mean * concentration, (1 - mean) * concentration)
    found = BetaBinomialLevels(jnp.asarray(logits), jnp.asarray(log_concentration)).probabilities
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-9)
    extremes = BetaBinomialLevels(jnp.array([-300.0, 300, 0, 0]), jnp.array([90.0, 90, 90, -90])).probabilities
    np.testing.assert_allclose(extremes.sum(-1), 1, rtol=1e-5)
    np.testing.assert_allclose(extremes[[0, 1, 3, 3], [0, 255, 0, 255]], [1, 1, 0.5, 0.5], rtol=1e-5)
    np.testing.assert_allclose(extremes[2], stats.binom.pmf(np.arange(256), 255, 0.5), rtol=1e-3, atol=1e-9)


def test_each_value_has_its_256_logits():
    row = LIKELIHOODS["categorical_levels"]()
    facts = Facts(Pixels((3,)), 2)
    assert row.decoder_shape(facts) == (768,)
    outputs, level = OUTPUTS.normal(size=(5, 768)), OUTPUTS.integers(256, size=(5, 3))
    log_probabilities = special.log_softmax(outputs.reshape(5, 3, 256), axis=-1)
    expected = np.take_along_axis(log_probabilities, level[..., None], -1).sum((1, 2))
    np.testing.assert_allclose(row.build(facts)(jnp.asarray(outputs)).log_prob(level / 255), expected, rtol=1e-5)


def test_thirds_are_means_scales_and_degrees_of_freedom():
    row = LIKELIHOODS["student_t"]()
    facts = Facts(Real((2,)), 2)
    assert row.decoder_shape(facts) == (6,)
    outputs, x = OUTPUTS.normal(size=(5, 6)), OUTPUTS.normal(size=(5, 2))
    degrees = 2 + np.log1p(np.exp(outputs[:, 4:]))
    expected = stats.t.logpdf(x, degrees, outputs[:, :2], np.exp(outputs[:, 2:4])).sum(1)
    np.testing.assert_allclose(row.build(facts)(jnp.asarray(outputs)).log_prob(x), expected, rtol=1e-5)
