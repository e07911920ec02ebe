"""The Gaussian closed forms against quadrature, textbook formulas and NumPyro."""

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as numpyro
import pytest
from scipy import integrate, stats

from jaxvae.distributions import MultivariateNormal, Normal, gaussian_kl, kl_divergence, multivariate_gaussian_kl

# mean, log-variance, mean and log-variance of the reference
CASES = [
    (0.0, 0.0, 0.0, 0.0),
    (1.5, -2.0, 0.0, 0.0),
    (-0.3, 1.0, 0.0, 0.0),
    (0.5, -1.0, -0.7, 1.2),
    (2.0, 0.7, 1.0, -1),
]


@pytest.mark.parametrize(("mean", "log_var", "prior_mean", "prior_log_var"), CASES)
def test_matches_quadrature(mean, log_var, prior_mean, prior_log_var):
    q, p = stats.norm(mean, np.exp(log_var / 2)), stats.norm(prior_mean, np.exp(prior_log_var / 2))
    expected, _ = integrate.quad(lambda z: q.pdf(z) * (q.logpdf(z) - p.logpdf(z)), -20, 20, points=[mean])
    kl = jax.jit(gaussian_kl)(jnp.array([mean]), jnp.array([log_var]), prior_mean, prior_log_var)
    np.testing.assert_allclose(kl, expected, rtol=1e-5, atol=1e-7)


def test_matches_numpyro():
    mean, log_var, prior_mean, prior_log_var = jnp.array(CASES).T
    q, p = numpyro.Normal(mean, jnp.exp(log_var / 2)), numpyro.Normal(prior_mean, jnp.exp(prior_log_var / 2))
    expected = numpyro.kl_divergence(q.to_event(1), p.to_event(1))
    np.testing.assert_allclose(gaussian_kl(mean, log_var, prior_mean, prior_log_var), expected, rtol=1e-5)


def test_the_reference_is_standard_normal_if_left_out():
    mean, log_var, *_ = jnp.array(CASES).T
    np.testing.assert_array_equal(gaussian_kl(mean, log_var), gaussian_kl(mean, log_var, 0.0, 0.0))


def test_gradient_is_mean_and_half_of_variance_minus_one():
    mean, log_var = jnp.array([0.5, -2.0, 0.0]), jnp.array([-1.0, 0.5, 1e-4])
    for_mean, for_log_var = jax.grad(gaussian_kl, argnums=(0, 1))(mean, log_var)
    np.testing.assert_allclose(for_mean, mean, rtol=1e-6)
    np.testing.assert_allclose(for_log_var, np.expm1(np.float64(log_var)) / 2, rtol=1e-6, atol=3e-8)


@pytest.mark.parametrize("log_var", [-1e-2, 1e-2, 1e-3])
def test_precision_where_the_two_almost_agree(log_var):
    # Next to r^2 / 2 the rounding of r is all that may be lost; the naive exp(r) - 1 - r loses the rounding of 1.
    rounded = np.float64(np.float32(log_var))
    kl = gaussian_kl(jnp.zeros(1), jnp.full(1, log_var))
    np.testing.assert_allclose(kl, (np.expm1(rounded) - rounded) / 2, rtol=1e-6 / abs(log_var))


def test_bfloat16_is_computed_in_float32():
    arrays = [array.astype(jnp.bfloat16) for array in jnp.array(CASES).T]
    kl = gaussian_kl(*arrays)
    assert kl.dtype == jnp.float32
    np.testing.assert_allclose(kl, gaussian_kl(*(array.astype("float32") for array in arrays)), rtol=1e-6)


def test_names_arrays_of_different_shapes():
    with pytest.raises(ValueError, match=r"mean \(2, 3\) and log_var \(3,\)"):
        gaussian_kl(jnp.zeros((2, 3)), jnp.zeros(3))


def random_normal(seed: int, *batch: int) -> MultivariateNormal:
    noise = np.random.default_rng(seed)
    lower = np.tril(0.5 * noise.normal(size=(*batch, 3, 3)), -1)
    diagonal = np.exp(0.4 * noise.normal(size=(*batch, 3, 1)))
    return MultivariateNormal(jnp.asarray(noise.normal(size=(*batch, 3))), jnp.asarray(lower + diagonal * np.eye(3)))


BATCHES = [((), ()), ((2,), ()), ((), (2,)), ((4, 2), (2,)), ((2,), (4, 2))]


@pytest.mark.parametrize(("q_batch", "p_batch"), BATCHES)
def test_full_covariance_matches_textbook(q_batch, p_batch, float64):
    q, p = random_normal(0, *q_batch), random_normal(1, *p_batch)
    kl = jax.jit(multivariate_gaussian_kl)(q.mean, q.cholesky, p.mean, p.cholesky)

    (m0, l0), (m1, l1) = ((d.mean, d.cholesky) for d in float64((q, p)))
    s0, s1 = l0 @ np.swapaxes(l0, -1, -2), l1 @ np.swapaxes(l1, -1, -2)
    trace = np.trace(np.linalg.inv(s1) @ s0, axis1=-2, axis2=-1)
    distance = np.einsum("...i,...ij,...j->...", m1 - m0, np.linalg.inv(s1), m1 - m0)
    expected = (trace - 3 + distance + np.linalg.slogdet(s1)[1] - np.linalg.slogdet(s0)[1]) / 2
    np.testing.assert_allclose(kl, expected, rtol=1e-5)


def test_full_covariance_matches_numpyro():
    q, p = random_normal(0, 2), random_normal(1, 2)
    twins = (numpyro.MultivariateNormal(d.mean, scale_tril=d.cholesky) for d in (q, p))
    np.testing.assert_allclose(kl_divergence(q, p), numpyro.kl_divergence(*twins), rtol=1e-5)


def test_full_covariance_of_a_diagonal_is_gaussian_kl():
    mean, log_var, prior_mean, prior_log_var = jnp.array(CASES).T
    q, p = Normal(mean, log_var), Normal(prior_mean, prior_log_var)
    full_q, full_p = (MultivariateNormal(d.mean, jnp.diag(jnp.exp(d.log_var / 2))) for d in (q, p))
    for pair in ((full_q, p), (q, full_p), (full_q, full_p)):
        np.testing.assert_allclose(kl_divergence(*pair), kl_divergence(q, p), rtol=1e-5)


def test_full_covariance_in_bfloat16_is_computed_in_float32():
    half_q, half_p = jax.tree.map(lambda leaf: leaf.astype(jnp.bfloat16), (random_normal(0), random_normal(1)))
    q, p = jax.tree.map(lambda leaf: leaf.astype("float32"), (half_q, half_p))
    kl = kl_divergence(half_q, half_p)
    assert kl.dtype == jnp.float32
    np.testing.assert_allclose(kl, kl_divergence(q, p), rtol=1e-6)


def test_mixed_covariances_in_bfloat16_are_computed_in_float32():
    half_q = jax.tree.map(lambda leaf: leaf.astype(jnp.bfloat16), random_normal(0))
    half_p = Normal(jnp.zeros(3, jnp.bfloat16), jnp.array([0.3, -1.1, 0.7], jnp.bfloat16))
    q, p = jax.tree.map(lambda leaf: leaf.astype("float32"), (half_q, half_p))
    np.testing.assert_allclose(kl_divergence(half_q, half_p), kl_divergence(q, p), rtol=1e-6)
