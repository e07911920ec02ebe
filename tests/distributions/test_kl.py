"""Every registered pair against Monte Carlo, the one-sample fallback, and teaching new pairs."""

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as numpyro
import pytest
from scipy import integrate

from jaxvae.distributions import (
    Bernoulli,
    Categorical,
    ContinuousBernoulli,
    Delta,
    MultivariateNormal,
    Normal,
    gaussian_kl,
    kl_divergence,
    kl_per_dimension,
    register_kl,
)
from jaxvae.distributions.gaussian_process import GaussianProcess
from jaxvae.distributions.gumbel import OneHotCategorical, RelaxedCategorical
from jaxvae.distributions.kl import _CLOSED_FORMS
from jaxvae.rng import sample_keys

NUM_SAMPLES = 20_000
compiled_kl = jax.jit(kl_divergence)


def parameters(seed: int, *shape: int) -> jax.Array:
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape))


def full(seed: int) -> MultivariateNormal:
    return MultivariateNormal(parameters(seed, 4, 2), jnp.eye(2) * (1 + seed) + jnp.tril(parameters(seed, 4, 2, 2), -1))


PAIRS = {
    "normal": [Normal(parameters(seed, 4, 2), parameters(seed + 2, 4, 2)) for seed in (0, 1)],
    "normal, two axes": [Normal(parameters(seed, 4, 2, 1), parameters(seed + 2, 4, 2, 1), 2) for seed in (0, 1)],
    "full": [full(0), full(1)],
    "full, diagonal": [full(0), Normal(parameters(0, 4, 2), jnp.ones((4, 2)))],
    "diagonal, full": [Normal(parameters(0, 4, 2), jnp.zeros((4, 2))), full(1)],
    "bernoulli": [Bernoulli(2 * parameters(seed, 4, 2)) for seed in (0, 1)],
    "categorical": [Categorical(parameters(seed, 4, 2, 3)) for seed in (0, 1)],
    "categorical, one integer": [Categorical(parameters(seed, 4, 3), 0) for seed in (0, 1)],
    "one-hot": [OneHotCategorical(parameters(seed, 4, 2, 3)) for seed in (0, 1)],
}
ELSEWHERE = {(RelaxedCategorical, OneHotCategorical), (Normal, GaussianProcess)}
"""Pairs that have tests of their own: distributions/test_gumbel.py and priors/test_gaussian_process.py."""
pairs = pytest.mark.parametrize(("q", "p"), PAIRS.values(), ids=PAIRS)


def test_every_registered_pair_is_tested():
    # Examples of the docs register distributions of their own, if they ran before in this process.
    ours = {pair for pair in _CLOSED_FORMS if all(kind.__module__.startswith("jaxvae.") for kind in pair)}
    assert {(type(q), type(p)) for q, p in PAIRS.values()} | ELSEWHERE == ours


@pairs
def test_closed_form_matches_monte_carlo(q, p):
    many = jax.tree.map(lambda leaf: np.broadcast_to(leaf, (NUM_SAMPLES, *leaf.shape)), q)
    x = many.sample(jax.random.key(0))
    ratios = np.float64(jax.jit(lambda x: q.log_prob(x) - p.log_prob(x))(x))
    error = ratios.std(0) / NUM_SAMPLES**0.5
    assert np.all(np.abs(compiled_kl(q, p) - ratios.mean(0)) <= 6 * error)


@pairs
def test_dimensions_sum_to_the_divergence(q, p):
    per_dimension = np.asarray(jax.jit(kl_per_dimension)(q, p))
    assert per_dimension.shape[0] == 4
    np.testing.assert_allclose(per_dimension.sum(-1), compiled_kl(q, p), rtol=1e-6)


@pairs
def test_positive_between_two_and_zero_from_itself(q, p):
    assert np.all(np.asarray(compiled_kl(q, p)) > 0.01)
    np.testing.assert_allclose(compiled_kl(q, q), 0, atol=1e-6)


def test_per_dimension_is_one_number_per_coordinate():
    q, p = PAIRS["normal, two axes"]
    alone = [kl_divergence(*(Normal(d.mean[:, i], d.log_var[:, i]) for d in (q, p))) for i in (0, 1)]
    np.testing.assert_allclose(kl_per_dimension(q, p), jnp.stack(alone, -1), rtol=1e-6)


def test_reference_without_a_batch_axis():
    q, p = PAIRS["normal"][0], Normal(jnp.zeros(2), jnp.zeros(2))
    np.testing.assert_allclose(kl_divergence(q, p), gaussian_kl(q.mean, q.log_var), rtol=1e-6)


def test_one_sample_estimate_is_unbiased():
    q, p = ContinuousBernoulli(jnp.array([2.0])), ContinuousBernoulli(jnp.array([-1.0]))

    @jax.vmap
    def estimate(key):
        return kl_divergence(q, p, q.sample(key))

    def integrand(x):
        log_q, log_p = (x * logit - np.log(np.expm1(logit) / logit) for logit in (2.0, -1.0))
        return np.exp(log_q) * (log_q - log_p)

    estimates = np.float64(jax.jit(estimate)(sample_keys(jax.random.key(0), NUM_SAMPLES)))
    error = estimates.std() / NUM_SAMPLES**0.5
    assert abs(estimates.mean() - integrate.quad(integrand, 0, 1)[0]) <= 6 * error


def test_estimate_is_one_number_per_example():
    q, p = Delta(jnp.ones((4, 2))), Normal(jnp.zeros(2), jnp.zeros(2))
    estimate = kl_per_dimension(q, p, q.mean)
    assert estimate.shape == (4, 1)
    np.testing.assert_allclose(estimate[:, 0], -p.log_prob(q.mean), rtol=1e-6)


def test_unknown_pair_without_a_value_names_both():
    with pytest.raises(TypeError, match=r"ContinuousBernoulli \|\| Normal"):
        kl_divergence(ContinuousBernoulli(jnp.zeros(1)), Normal(jnp.zeros(1), jnp.zeros(1)))


def test_estimate_takes_numpyro_distributions_with_and_without_event():
    mean, scale, z = parameters(0, 4, 2), jnp.exp(parameters(1, 4, 2)), parameters(2, 4, 2)
    q, p = Normal(mean, 2 * jnp.log(scale)), Normal(jnp.zeros(2), jnp.zeros(2))
    expected = q.log_prob(z) - p.log_prob(z)
    foreign = numpyro.Normal(mean, scale)
    for twin in (foreign, foreign.to_event(1)):
        np.testing.assert_allclose(kl_divergence(twin, p, z), expected, rtol=1e-5)


def test_register_kl_teaches_a_foreign_pair():
    q, p = numpyro.Normal(jnp.array([[1.0, 0.0]]), 0.5), numpyro.Normal(jnp.zeros(2), 1.0)
    with pytest.raises(TypeError, match="register_kl"):
        kl_divergence(q, p)
    register_kl(numpyro.Normal, numpyro.Normal)(numpyro.kl_divergence)
    try:
        expected = gaussian_kl(q.mean, jnp.full((1, 2), 2 * np.log(0.5)))
        np.testing.assert_allclose(kl_divergence(q, p), expected, rtol=1e-6)
    finally:
        del _CLOSED_FORMS[numpyro.Normal, numpyro.Normal]
