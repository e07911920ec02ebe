"""Mixtures of normals for each number, against SciPy's normals and the moments of a mixture."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special, stats

from jaxvae.distributions import NormalMixture
from jaxvae.types import Distribution

LOGITS, MEANS, LOG_VARS = np.random.default_rng(0).normal(size=(3, 4, 2, 3)) * [[[[1]]], [[[2]]], [[[1]]]]


@pytest.fixture
def mixture():
    """Four examples of two numbers, each with three components."""
    return NormalMixture(*map(jnp.float32, (LOGITS, MEANS, LOG_VARS)))


def test_log_prob_is_that_of_scipys_mixture(mixture):
    value = np.random.default_rng(1).normal(size=(5, 4, 2))
    parts = stats.norm.logpdf(value[..., None], MEANS, np.exp(LOG_VARS / 2))
    expected = special.logsumexp(parts + special.log_softmax(LOGITS, axis=-1), axis=-1).sum(-1)
    np.testing.assert_allclose(mixture.log_prob(jnp.float32(value)), expected, rtol=1e-5)


def test_it_is_a_distribution_that_refuses_values_of_another_shape(mixture):
    assert isinstance(mixture, Distribution)
    with pytest.raises(ValueError, match="no event"):
        mixture.log_prob(jnp.zeros((4, 3)))


def test_far_away_value_and_gradient_are_finite(mixture):
    value, gradient = jax.value_and_grad(lambda d: d.log_prob(jnp.full((4, 2), 1e4)).sum())(mixture)
    assert all(np.isfinite(each).all() for each in (value, *jax.tree.leaves(gradient)))


@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_samples_have_the_moments_of_the_mixture(mixture, temperature):
    num, weights = 20_000, special.softmax(LOGITS / temperature, axis=-1)
    keys = jax.random.split(jax.random.key(0), num)
    samples = np.float64(jax.jit(jax.vmap(mixture.tempered(temperature).sample))(keys))
    mean = (weights * MEANS).sum(-1)
    variance = (weights * (temperature * np.exp(LOG_VARS) + MEANS**2)).sum(-1) - mean**2
    np.testing.assert_allclose(mixture.tempered(temperature).mean, mean, rtol=1e-5)
    assert (np.abs(samples.mean(0) - mean) < 6 * np.sqrt(variance / num)).all()
    spread = (samples - mean) ** 2
    assert (np.abs(spread.mean(0) - variance) < 6 * spread.std(0) / num**0.5).all()


def test_one_key_for_each_example_or_one_for_all(mixture):
    keys = jax.random.split(jax.random.key(0), 4)
    one = jax.tree.map(lambda each: each[2], mixture).sample(keys[2])
    np.testing.assert_allclose(mixture.sample(jax.random.split(jax.random.key(0), 4))[2], one, rtol=1e-6)
    assert mixture.sample(jax.random.key(1)).shape == (4, 2)
