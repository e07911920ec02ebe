"""Finite values and gradients where a careless formula overflows, divides by zero or loses its digits."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import expit

from jaxvae.distributions import (
    Bernoulli,
    Categorical,
    ContinuousBernoulli,
    GreyCrossEntropy,
    MultivariateNormal,
    NegativeBinomial,
    Normal,
    Poisson,
    kl_divergence,
)
from jaxvae.distributions.bernoulli import softplus

LOGITS = jnp.array([[-1e4], [-1e-30], [0.0], [1e-30], [1e4]])
LOG_VARS = jnp.array([[-50.0], [50.0]])
RATES = jnp.repeat(jnp.array([-1e4, -60.0, 0.0, 60.0]), 4)[:, None]
DISPERSIONS = jnp.tile(jnp.array([-1e4, -80.0, 80.0, 1e4]), 4)[:, None]
FAR = {
    "bernoulli": (Bernoulli(LOGITS), jnp.ones_like(LOGITS)),
    "grey_cross_entropy": (GreyCrossEntropy(LOGITS), jnp.full_like(LOGITS, 0.25)),
    "continuous_bernoulli": (ContinuousBernoulli(LOGITS), jnp.full_like(LOGITS, 0.25)),
    "categorical": (Categorical(jnp.concatenate([LOGITS, -LOGITS], 1), event_ndim=0), jnp.zeros(5, "int32")),
    "poisson": (Poisson(RATES), jnp.ones_like(RATES)),
    "poisson at 0": (Poisson(RATES), jnp.zeros_like(RATES)),
    "negative_binomial": (NegativeBinomial(RATES, DISPERSIONS), jnp.ones_like(RATES)),
    "negative_binomial at 0": (NegativeBinomial(RATES, DISPERSIONS, RATES), jnp.zeros_like(RATES)),
    "normal": (Normal(jnp.zeros((2, 1)), LOG_VARS), jnp.ones((2, 1))),
    "multivariate_normal": (MultivariateNormal(jnp.zeros((2, 1)), jnp.exp(LOG_VARS / 2)[..., None]), jnp.ones((2, 1))),
}


def assert_finite(value_and_gradient):
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(value_and_gradient))


@pytest.mark.parametrize("name", FAR)
def test_log_prob_is_finite(name):
    d, x = FAR[name]
    assert_finite(jax.jit(jax.value_and_grad(lambda d: d.log_prob(x).sum()))(d))


@pytest.mark.parametrize("name", FAR)
def test_sample_is_finite(name):
    d, _ = FAR[name]
    assert_finite(jax.jit(jax.value_and_grad(lambda d: d.sample(jax.random.key(0)).astype("float32").sum()))(d))


@pytest.mark.parametrize("name", ["bernoulli", "categorical", "normal", "multivariate_normal"])
def test_kl_from_far_apart_is_finite(name):
    q, _ = FAR[name]
    p = jax.tree.map(jnp.zeros_like, q) if name != "multivariate_normal" else Normal(jnp.zeros(1), jnp.zeros(1))
    kl, gradient = jax.jit(jax.value_and_grad(lambda q: kl_divergence(q, p).sum()))(q)
    assert_finite((kl, gradient))
    assert kl > 0


def test_kl_to_a_prior_of_tiny_variance_at_its_mean():
    narrow = Normal(jnp.zeros(1), jnp.full(1, -100.0))
    assert_finite(jax.value_and_grad(kl_divergence)(narrow, narrow))


def test_bernoulli_is_exact_far_out():
    np.testing.assert_allclose(Bernoulli(LOGITS).log_prob(jnp.ones(1)), [-1e4, *[-np.log(2)] * 3, 0], rtol=1e-6)


@pytest.mark.parametrize("family", [Bernoulli, GreyCrossEntropy])
def test_an_infinite_logit_makes_one_value_certain(family):
    for logit, certain in ((np.inf, 1.0), (-np.inf, 0.0)):
        score = jax.value_and_grad(lambda logits, x: family(logits).log_prob(x))
        assert score(jnp.full(1, logit), jnp.full(1, certain)) == (0, 0)
        assert score(jnp.full(1, logit), jnp.full(1, 1 - certain)) == (-np.inf, 0)
        assert family(jnp.full(1, logit)).mean == certain
        assert family(jnp.full(1, logit)).sample(jax.random.key(0)) == certain
        assert ContinuousBernoulli(jnp.full(1, logit)).log_prob(jnp.full(1, certain)) == np.inf
        assert ContinuousBernoulli(jnp.full(1, logit)).log_prob(jnp.full(1, 0.5)) == -np.inf


def test_kl_of_certain_coins():
    for q, p, expected in (
        (np.inf, np.inf, 0.0),
        (-np.inf, -np.inf, 0.0),
        (np.inf, 1.0, np.log1p(np.exp(-1))),
        (-np.inf, 1.0, np.log1p(np.e)),
        (np.inf, -np.inf, np.inf),
        (0.0, np.inf, np.inf),
    ):
        kl = jax.value_and_grad(lambda logits, p=p: kl_divergence(Bernoulli(logits), Bernoulli(jnp.full(1, p))))
        value, gradient = kl(jnp.full(1, q))
        assert value == pytest.approx(expected)
        assert not np.isfinite(expected) or gradient == 0


def test_continuous_bernoulli_is_exact_far_out():
    far = jnp.array([[-1e18], [-1e5], [1e5], [1e18]])
    # At the likely end the density is |l|: its logarithm must not drown in l itself.
    got = ContinuousBernoulli(far).log_prob((far > 0).astype(jnp.float32))
    np.testing.assert_allclose(got, np.log(np.abs(far[:, 0])), rtol=1e-6)


def continuous_bernoulli(logits, x, u):
    """Log-density, mean, variance, sample and its derivative by textbook formulas in long double."""
    logits = np.asarray(logits, np.longdouble)
    log_prob = x * logits - np.log(np.expm1(logits) / logits)
    mean = -1 / np.expm1(-logits) - 1 / logits
    variance = 1 / logits**2 - 1 / (4 * np.sinh(logits / 2) ** 2)
    sample = np.log1p(u * np.expm1(logits)) / logits
    slope = (u * np.exp(logits) / (1 + u * np.expm1(logits)) - sample) / logits
    return log_prob, mean, variance, sample, slope


THRESHOLDS = np.array([1e-4, 0.0099, 0.00999, 0.01001, 0.0101, 0.1, 0.299, 0.2999, 0.3001, 0.301, 1.0, 10.0])


@pytest.mark.parametrize("sign", [1, -1])
def test_continuous_bernoulli_around_the_thresholds_of_its_series(sign, monkeypatch):
    x, u = 0.7, 0.2
    monkeypatch.setattr(jax.random, "uniform", lambda key, shape, *rest, **options: jnp.full(shape, u))
    logits = jnp.asarray(sign * THRESHOLDS)

    def value_and_grad(f):
        of_one = jax.value_and_grad(lambda logit: f(ContinuousBernoulli(logit, event_ndim=0)))
        return jax.jit(jax.vmap(of_one))(logits)

    log_prob, mean, variance, sample, slope = continuous_bernoulli(logits, x, u)
    got_log_prob, score = value_and_grad(lambda d: d.log_prob(x))
    np.testing.assert_allclose(got_log_prob, log_prob.astype("float64"), rtol=0, atol=5e-7)
    np.testing.assert_allclose(score, (x - mean).astype("float64"), rtol=0, atol=2e-6)
    got_mean, got_variance = value_and_grad(lambda d: d.mean)
    np.testing.assert_allclose(got_mean, mean.astype("float64"), rtol=0, atol=1e-6)
    np.testing.assert_allclose(got_variance, variance.astype("float64"), rtol=0, atol=1e-5)
    got_sample, got_slope = value_and_grad(lambda d: d.sample(jax.random.key(0)))
    np.testing.assert_allclose(got_sample, sample.astype("float64"), rtol=0, atol=1e-6)
    np.testing.assert_allclose(got_slope, slope.astype("float64"), rtol=0, atol=3e-5)  # the rounding of 1, over 0.01


@pytest.mark.parametrize("extreme", ["first", "last"])
@pytest.mark.parametrize("logit", [-1e4, -20.0, 0.0, 20.0, 1e4])
def test_continuous_bernoulli_sample_at_the_ends_of_the_noise(logit, extreme, monkeypatch):
    def uniform(key, shape, dtype=jnp.float32, minval=0.0, maxval=1.0):
        end = minval if extreme == "first" else np.nextafter(np.float32(maxval), np.float32(0))
        return jnp.full(shape, end, dtype)

    monkeypatch.setattr(jax.random, "uniform", uniform)
    x, slope = jax.value_and_grad(lambda logit: ContinuousBernoulli(logit).sample(jax.random.key(0)))(logit)
    assert 0 <= x <= 1
    assert np.isfinite(slope)


def test_softplus_and_its_derivatives_are_exact_from_one_end_to_the_other():
    x = np.array([-np.inf, -1e4, -30.0, -1.0, 0.0, 1e-30, 2.0, 30.0, 1e4, np.inf], np.float32)
    np.testing.assert_allclose(softplus(x), np.logaddexp(x.astype(np.float64), 0), rtol=1e-6)
    np.testing.assert_allclose(jax.vmap(jax.grad(softplus))(x), expit(x), rtol=1e-6)
    second = jax.vmap(jax.grad(jax.grad(softplus)))(x[1:-1])
    np.testing.assert_allclose(second, expit(x[1:-1]) * expit(-x[1:-1]), rtol=1e-5, atol=1e-12)
    assert np.isnan(softplus(jnp.nan))
