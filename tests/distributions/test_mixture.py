"""Mixtures, against SciPy's normals and the moments of a mixture."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special, stats

from jaxvae import rng
from jaxvae.distributions import Categorical, Mixture, MultivariateNormal, Normal

LOGITS = np.array([0.3, -1.0, 1.2])
MEANS, LOG_VARS = np.random.default_rng(0).normal(size=(2, 3, 2))


def mixture():
    return Mixture(Normal(jnp.float32(2 * MEANS), jnp.float32(LOG_VARS)), jnp.float32(LOGITS))


def expected(value):
    parts = stats.norm.logpdf(value[..., None, :], 2 * MEANS, np.exp(LOG_VARS / 2)).sum(-1)
    return special.logsumexp(parts + special.log_softmax(LOGITS), axis=-1)


@pytest.mark.parametrize("shape", [(2,), (5, 2), (4, 5, 2)])
def test_log_prob(shape):
    value = np.random.default_rng(1).normal(size=shape)
    np.testing.assert_allclose(mixture().log_prob(jnp.float32(value)), expected(value), rtol=1e-5)


def test_density_integrates_to_one():
    axis = jnp.linspace(-12, 12, 481)
    points = jnp.stack(jnp.meshgrid(axis, axis), -1)
    total = jnp.exp(mixture().log_prob(points)).sum() * (axis[1] - axis[0]) ** 2
    np.testing.assert_allclose(total, 1, atol=1e-4)


@pytest.mark.parametrize("event", [(), (4,), (2, 1, 3)])
def test_normals_score_one_by_one_as_they_do_together(event):
    noise = np.random.default_rng(0)
    mean, log_var = jnp.float32(noise.normal(size=(2, 5, *event)))
    value, d = jnp.float32(noise.normal(size=(3, 2, *event))), Normal(mean, log_var, len(event))

    def scores(d, value, by_each):
        rows = jnp.expand_dims(value, 2)
        return jnp.sin(d.log_prob_by_each(value) if by_each else d.log_prob(rows)).sum()

    assert jax.eval_shape(d.log_prob_by_each, value).shape == (3, 2, 5)
    function = jax.jit(jax.value_and_grad(scores, (0, 1)), static_argnums=2)
    one, other = (function(d, value, by_each) for by_each in (True, False))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4), one, other)


def test_far_away_nothing_underflows():
    value, gradient = jax.value_and_grad(mixture().log_prob)(jnp.full(2, 1e4))
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()


def test_samples_have_the_moments_of_the_mixture():
    num, weights = 40_000, special.softmax(LOGITS)
    samples = np.float64(jax.jit(mixture().sample)(jax.random.split(jax.random.key(0), num)))
    mean = weights @ (2 * MEANS)
    variance = weights @ (np.exp(LOG_VARS) + (2 * MEANS) ** 2) - mean**2
    np.testing.assert_allclose(mixture().mean, mean, rtol=1e-5)
    np.testing.assert_allclose(mixture().point, mean, rtol=1e-5)
    assert (np.abs(samples.mean(0) - mean) < 6 * np.sqrt(variance / num)).all()
    spread = (samples - mean) ** 2
    assert (np.abs(spread.mean(0) - variance) < 6 * spread.std(0) / num**0.5).all()


def test_one_key_for_each_sample_or_one_alone():
    def keys():
        return rng.example_keys(jax.random.key(0), jnp.arange(6))

    together = mixture().sample(keys())
    assert mixture().sample(keys()[3]).shape == (2,)
    np.testing.assert_allclose(together[3], mixture().sample(keys()[3]), rtol=1e-6)
    np.testing.assert_allclose(together, jax.vmap(mixture().sample)(keys()), rtol=1e-6)


def test_order_of_components_does_not_matter():
    d = mixture()
    turned = Mixture(Normal(d.components.mean[::-1], d.components.log_var[::-1]), d.logits[::-1])
    value = jnp.array([0.3, -0.5])
    np.testing.assert_allclose(turned.log_prob(value), d.log_prob(value), rtol=1e-6)


def test_equal_components_are_one():
    one = Normal(jnp.array([1.0, -1.0]), jnp.array([0.2, 0.4]))
    many = Mixture(Normal(jnp.tile(one.mean, (4, 1)), jnp.tile(one.log_var, (4, 1))), jnp.zeros(4))
    value = jax.random.normal(jax.random.key(0), (5, 2))
    np.testing.assert_allclose(many.log_prob(value), one.log_prob(value), rtol=1e-5)


def test_components_of_other_families():
    normals = Mixture(MultivariateNormal(jnp.zeros((3, 2)), jnp.tile(jnp.eye(2), (3, 1, 1))), jnp.zeros(3))
    np.testing.assert_allclose(normals.log_prob(jnp.zeros((5, 2))), np.full(5, -np.log(2 * np.pi)), rtol=1e-6)
    coins = Mixture(Categorical(jnp.log(jnp.array([[[0.9, 0.1]], [[0.3, 0.7]]]))), jnp.zeros(2))
    np.testing.assert_allclose(coins.log_prob(jnp.array([[0], [1]])), np.log([0.6, 0.4]), rtol=1e-5)
    assert coins.support == "integers"
