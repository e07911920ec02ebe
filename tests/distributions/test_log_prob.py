"""Log-densities and their gradients against SciPy, NumPyro and quadrature."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae.distributions import (
    Bernoulli,
    Categorical,
    ContinuousBernoulli,
    GreyCrossEntropy,
    MultivariateNormal,
    NegativeBinomial,
    Normal,
    Poisson,
)


@jax.jit
def log_prob(d, x):
    return d.log_prob(x)


def oracle(family, d, x):
    """The oracle's log-density, summed over each example's event."""
    expected = np.asarray(family.log_prob(d, x))
    return expected.reshape(len(expected), -1).sum(1)


def test_value_matches_oracle(family, float64):
    d, x = family.distribution, family.value
    np.testing.assert_allclose(log_prob(d, x), oracle(family, *float64((d, x))), rtol=2e-6, atol=2e-6)


def test_value_matches_numpyro(twinned_family):
    d, x = twinned_family.distribution, twinned_family.value
    np.testing.assert_allclose(log_prob(d, x), jax.jit(twinned_family.twin(d).log_prob)(x), rtol=1e-5, atol=1e-5)


def test_gradient_in_parameters_matches_finite_differences(smooth_family, float64):
    d, x = smooth_family.distribution, smooth_family.value
    noise = np.random.default_rng(0)
    direction = jax.tree.map(lambda leaf: leaf * noise.normal(size=leaf.shape).astype("float32"), d)
    _, derivative = jax.jvp(lambda d: log_prob(d, x), (d,), (direction,))

    d, direction, x = float64((d, direction, x))
    ahead, behind = (jax.tree.map(lambda a, b, h=h: a + h * b, d, direction) for h in (1e-5, -1e-5))
    expected = (oracle(smooth_family, ahead, x) - oracle(smooth_family, behind, x)) / 2e-5
    np.testing.assert_allclose(derivative, expected, rtol=1e-4, atol=1e-5)


def test_gradient_in_value_matches_finite_differences(pathwise_family, float64):
    d, x = pathwise_family.distribution, pathwise_family.value
    _, derivative = jax.jvp(lambda x: log_prob(d, x), (x,), (jnp.ones_like(x),))
    d, x = float64((d, x))
    expected = (oracle(pathwise_family, d, x + 1e-5) - oracle(pathwise_family, d, x - 1e-5)) / 2e-5
    np.testing.assert_allclose(derivative, expected, rtol=1e-4, atol=1e-5)


LINE, STEP = np.linspace(-12, 12, 241, retstep=True)
PLANE = np.stack(np.meshgrid(LINE, LINE), -1).reshape(-1, 2)
NODES, WEIGHTS = np.polynomial.legendre.leggauss(40)
NODES, WEIGHTS = (NODES + 1) / 2, WEIGHTS / 2  # Gauss-Legendre on [0, 1]

TOTAL_MASS = {
    "normal": (Normal(jnp.array([0.7]), jnp.array([0.9])), LINE[:, None], STEP),
    "multivariate_normal": (MultivariateNormal(jnp.array([0.7, -1]), jnp.array([[1.5, 0], [-1, 0.8]])), PLANE, STEP**2),
    "bernoulli": (Bernoulli(jnp.array([1.3])), np.array([[0], [1]]), 1),
    "continuous_bernoulli": (ContinuousBernoulli(jnp.array([-4.0])), NODES[:, None], WEIGHTS),
    "continuous_bernoulli, series": (ContinuousBernoulli(jnp.array([0.2])), NODES[:, None], WEIGHTS),
    "categorical": (Categorical(jnp.array([0.3, -1.0, 2.0]), event_ndim=0), np.arange(3), 1),
    "poisson": (Poisson(jnp.array([1.5])), np.arange(60)[:, None], 1),
    "negative_binomial": (NegativeBinomial(jnp.array([1.5]), jnp.array([0.5])), np.arange(300)[:, None], 1),
    "zero_inflated": (NegativeBinomial(*jnp.array([[1.5], [0.5], [-0.3]])), np.arange(300)[:, None], 1),
}


@pytest.mark.parametrize("name", TOTAL_MASS)
def test_integrates_to_one(name):
    d, points, weights = TOTAL_MASS[name]
    density = np.exp(np.float64(log_prob(d, jnp.asarray(points))))
    np.testing.assert_allclose(np.sum(density * weights), 1, atol=2e-6)


def test_grey_cross_entropy_is_no_density():
    density = np.exp(log_prob(GreyCrossEntropy(jnp.array([1.3])), jnp.asarray(NODES[:, None])))
    assert np.sum(density * WEIGHTS) < 0.7


def test_bfloat16_parameters_are_scored_in_float32(smooth_family, float64):
    half = jax.tree.map(lambda leaf: leaf.astype(jnp.bfloat16), smooth_family.distribution)
    x = smooth_family.value if smooth_family.value.dtype == jnp.int32 else smooth_family.value.astype(jnp.bfloat16)
    score = log_prob(half, x)
    assert score.dtype == jnp.float32
    np.testing.assert_allclose(score, oracle(smooth_family, *float64((half, x))), rtol=2e-6, atol=2e-6)
