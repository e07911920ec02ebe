"""Relaxed categories: samples, densities against NumPyro and an integral, and hard values at temperature 0."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as nd
import pytest

from jaxvae import rng
from jaxvae.distributions import OneHotCategorical, RelaxedCategorical, kl_divergence
from jaxvae.distributions.gumbel import hard
from jaxvae.distributions.sampling import point

LOGITS = jnp.array([[[0.3, -1.0, 2.0], [0.0, 0.5, 0.5]]])


def relaxed(temperature, logits=LOGITS):
    return RelaxedCategorical(logits, jnp.full((*logits.shape[:-2], 1, 1), temperature))


def test_probabilities_of_all_values_sum_to_1():
    rows = list(itertools.product(range(3), repeat=2))
    values = jax.nn.one_hot(jnp.array(rows), 3)[:, None]
    log_probs = jnp.stack([OneHotCategorical(LOGITS).log_prob(value)[0] for value in values])
    np.testing.assert_allclose(jax.nn.logsumexp(log_probs), 0.0, atol=1e-6)
    softmax = jax.nn.softmax(LOGITS[0])
    np.testing.assert_allclose(jnp.exp(log_probs), [softmax[0, a] * softmax[1, b] for a, b in rows], rtol=1e-5)


def test_rows_that_are_not_one_hot_are_impossible():
    value = jnp.array([[[1.0, 0.0, 0.0], [0.5, 0.5, 0.0]]])
    assert OneHotCategorical(LOGITS).log_prob(value) == -jnp.inf
    assert OneHotCategorical(LOGITS).log_prob(jnp.array([[[1.0, 0.0, 0.0], [1.0, 1.0, 0.0]]])) == -jnp.inf


def test_samples_have_the_probabilities_of_the_categories():
    """The largest number of a relaxed sample is the category, at any temperature."""
    expected = np.asarray(jax.nn.softmax(LOGITS))
    error = 6 * np.sqrt(expected * (1 - expected) / 4000)
    for number, q in enumerate((OneHotCategorical(LOGITS), relaxed(0.7))):
        samples = jax.vmap(q.sample)(rng.sample_keys(jax.random.key(number), 4000))
        np.testing.assert_allclose(samples.sum(-1), np.ones((4000, 1, 2)), rtol=1e-5)
        frequency = np.asarray(jax.nn.one_hot(samples.argmax(-1), 3)).mean(0)
        assert (np.abs(frequency - expected) < error).all()


def test_cold_samples_are_one_hot_and_warm_ones_have_a_gradient():
    key = jax.random.key(1)
    cold, categories = relaxed(1e-6).sample(key), OneHotCategorical(LOGITS).sample(jax.random.clone(key))
    np.testing.assert_allclose(cold, categories, atol=1e-6)
    slope = jax.grad(lambda logits: relaxed(0.7, logits).sample(jax.random.key(2))[0, 0, 0])(LOGITS)
    assert (slope[0, 0] != 0).all()
    assert (slope[0, 1] == 0).all()


@pytest.mark.parametrize("temperature", [0.5, 1.3])
def test_density_of_two_categories_is_that_of_numpyro(temperature):
    logits = jnp.array([[[0.4, -0.3]]])
    y = jnp.array([0.1, 0.35, 0.9])
    theirs = nd.RelaxedBernoulliLogits(jnp.float32(temperature), logits[0, 0, 0] - logits[0, 0, 1]).log_prob(y)
    q = relaxed(temperature, jnp.broadcast_to(logits, (3, 1, 2)))
    np.testing.assert_allclose(q.log_prob(jnp.stack([y, 1 - y], -1)[:, None]), theirs, rtol=1e-4)


def test_density_of_three_categories_integrates_to_1():
    """The triangle of the first two numbers, by the midpoints of a fine grid."""
    num = 400
    middles = (np.arange(num) + 0.5) / num
    a, b = (side.reshape(-1) for side in np.meshgrid(middles, middles))
    a, b = a[a + b < 1 - 1e-9], b[a + b < 1 - 1e-9]
    value = jnp.stack([a, b, 1 - a - b], -1)[:, None]
    q = relaxed(0.9, jnp.broadcast_to(LOGITS[:, :1], (len(a), 1, 3)))
    np.testing.assert_allclose(jnp.exp(q.log_prob(value)).sum() / num**2, 1.0, atol=0.01)


def test_kl_is_that_of_the_categories_and_0_for_equal_ones():
    uniform = OneHotCategorical(jnp.zeros((2, 3)))
    p = np.asarray(jax.nn.softmax(LOGITS))
    expected = (p * np.log(3 * p)).sum((-2, -1))
    np.testing.assert_allclose(kl_divergence(relaxed(0.7), uniform), expected, rtol=1e-5)
    np.testing.assert_allclose(kl_divergence(OneHotCategorical(LOGITS), uniform), expected, rtol=1e-5)
    assert kl_divergence(OneHotCategorical(jnp.zeros((1, 2, 3))), uniform) == 0
    impossible = OneHotCategorical(LOGITS.at[0, 0, 0].set(-jnp.inf))
    assert np.isfinite(kl_divergence(impossible, uniform)).all()


def test_the_hard_distribution_is_that_of_the_categories():
    assert isinstance(hard(relaxed(0.7)), OneHotCategorical)
    assert hard(relaxed(0.7)).logits is LOGITS
    plain = OneHotCategorical(LOGITS)
    assert hard(plain) is plain
    np.testing.assert_array_equal(point(relaxed(0.7)), [[[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]]])
