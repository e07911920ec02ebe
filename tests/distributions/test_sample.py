"""Samples: moments within 6 sigma, one key per example, and pathwise gradients."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from jaxvae.distributions import ContinuousBernoulli, MultivariateNormal, Normal, reparameterize
from jaxvae.rng import example_keys

NUM_SAMPLES = 8_000


@functools.cache
def compiled(family):
    """Compile each family's own method, so that no two families share a function's programs."""
    return jax.jit(family.sample)


def sample(d, key):
    return compiled(type(d))(d, key)


def assert_mean(samples, expected):
    """The mean over the first axis lies within 6 standard errors, estimated from the samples, of what is expected."""
    samples = np.asarray(samples, np.float64)
    error = samples.std(0) / len(samples) ** 0.5
    assert np.all(np.abs(samples.mean(0) - expected) <= 6 * error + 1e-6)


def test_moments(family, float64):
    d = family.distribution
    many = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (NUM_SAMPLES, *leaf.shape)), d)
    samples = np.float64(sample(many, jax.random.key(0)))
    mean, variance = family.mean(float64(d)), family.variance(float64(d))
    np.testing.assert_allclose(d.mean, mean, rtol=1e-5, atol=1e-6)
    assert_mean(samples, mean)
    assert_mean((samples - mean) ** 2, variance)


def test_covariance_of_multivariate_normal():
    cholesky = jnp.array([[1.5, 0.0], [-1.0, 0.5]])
    d = MultivariateNormal(jnp.zeros((NUM_SAMPLES, 2)), cholesky)
    x = sample(d, jax.random.key(0))
    assert_mean(x[:, :, None] * x[:, None, :], cholesky @ cholesky.T)


@pytest.mark.parametrize("logit", [-8.0, -0.02, 0.005, 0.5, 8.0])
def test_continuous_bernoulli_distribution_function(logit):
    x = sample(ContinuousBernoulli(jnp.full(NUM_SAMPLES, logit)), jax.random.key(0))
    assert stats.kstest(np.float64(x), lambda x: np.expm1(logit * x) / np.expm1(logit)).pvalue > 1e-6


@pytest.mark.quick_rows("normal-3", "multivariate_normal", "categorical-2", "poisson-1")
def test_each_example_has_its_own_key(noisy_family):
    d = noisy_family.distribution
    together = sample(d, example_keys(jax.random.key(0), jnp.arange(4)))
    for i, key in enumerate(example_keys(jax.random.key(0), jnp.arange(4))):
        alone = sample(jax.tree.map(lambda leaf, i=i: leaf[i], d), key)
        np.testing.assert_allclose(together[i], alone, rtol=1e-6)


def test_noise_of_an_example_is_the_same_to_the_last_bit_in_any_batch():
    together, part = (
        sample(Normal(jnp.zeros((n, 3)), jnp.zeros((n, 3))), example_keys(jax.random.key(0), jnp.arange(n)))
        for n in (5, 2)
    )
    alone = sample(Normal(jnp.zeros(3), jnp.zeros(3)), example_keys(jax.random.key(0), jnp.arange(2))[1])
    np.testing.assert_array_equal(together[:2], part)
    np.testing.assert_array_equal(together[1], alone)


def test_permuted_keys_permute_samples(noisy_family):
    d = jax.tree.map(lambda leaf: np.repeat(np.asarray(leaf)[:1], 4, axis=0), noisy_family.distribution)
    ids = np.arange(4)
    samples, reversed_samples = (sample(d, example_keys(jax.random.key(0), order)) for order in (ids, ids[::-1]))
    np.testing.assert_array_equal(samples[::-1], reversed_samples)
    assert not np.array_equal(samples, reversed_samples)


def test_wrong_number_of_keys_is_named(noisy_family):
    with pytest.raises(ValueError, match="key: "):
        noisy_family.distribution.sample(example_keys(jax.random.key(0), jnp.arange(2)))


def test_sample_of_bfloat16_stays_in_support():
    x = sample(ContinuousBernoulli(jnp.linspace(-20, 20, NUM_SAMPLES, dtype=jnp.bfloat16)), jax.random.key(0))
    assert x.dtype == jnp.bfloat16
    assert np.all((x >= 0) & (x <= 1))


def test_pathwise_gradient_matches_finite_differences(pathwise_family, float64):
    d = pathwise_family.distribution
    noise = np.random.default_rng(0)
    direction = jax.tree.map(lambda leaf: leaf * noise.normal(size=leaf.shape).astype("float32"), d)
    x, derivative = jax.jvp(lambda d: sample(d, jax.random.key(0)), (d,), (direction,))

    d, direction, x = float64((d, direction, x))
    ahead, behind = (jax.tree.map(lambda a, b, h=h: a + h * b, d, direction) for h in (1e-5, -1e-5))
    expected = (pathwise_family.transport(d, x, ahead) - pathwise_family.transport(d, x, behind)) / 2e-5
    np.testing.assert_allclose(derivative, expected, rtol=1e-4, atol=1e-5)


def test_reparameterize_is_mean_plus_scaled_noise():
    mean, log_var = jnp.array([[0.5, -2.0]]), jnp.array([[1.0, -3.0]])
    noise = jax.random.normal(jax.random.key(0), (1, 2))
    z, pullback = jax.vjp(lambda mean, log_var: reparameterize(jax.random.key(0), mean, log_var), mean, log_var)
    np.testing.assert_allclose(z, mean + jnp.exp(log_var / 2) * noise, rtol=1e-6)
    for_mean, for_log_var = pullback(jnp.ones((1, 2)))
    np.testing.assert_allclose(for_mean, jnp.ones((1, 2)))
    np.testing.assert_allclose(for_log_var, (z - mean) / 2, rtol=1e-5)


def test_reparameterize_names_arrays_of_different_shapes():
    with pytest.raises(ValueError, match=r"mean \(2, 3\) and log_var \(3,\)"):
        reparameterize(jax.random.key(0), jnp.zeros((2, 3)), jnp.zeros(3))
