"""Gaussian processes over latent series: against SciPy, and networks whose code keeps its place in time."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from jaxvae import rng
from jaxvae.data.spaces import Incomplete, Real
from jaxvae.distributions import GaussianProcess, MultivariateNormal, Normal, kl_divergence
from jaxvae.errors import InputError
from jaxvae.objectives import elbo_loss, iwae_loss
from jaxvae.options import given
from jaxvae.priors import GaussianProcessPrior

SERIES, STEPS, SCALES, NOISE = 3, 5, (2.0, 0.5), 0.1
TIME = np.arange(STEPS)
DRAW = np.random.default_rng(0)


def covariance(kernel):
    """The covariance of the whole vector, by the definitions of the kernels."""
    function = {"cauchy": lambda t, s: 1 / (1 + (t / s) ** 2), "rbf": lambda t, s: np.exp(-((t / s) ** 2) / 2)}[kernel]
    whole = np.zeros((SERIES * STEPS, SERIES * STEPS))
    for number, scale in enumerate((2.0, 0.5, 2.0)):
        part = slice(number * STEPS, (number + 1) * STEPS)
        whole[part, part] = 0.9 * function(np.abs(TIME[:, None] - TIME), scale) + 0.1 * np.eye(STEPS)
    return whole


def prior(kernel="cauchy"):
    return GaussianProcessPrior(SERIES, STEPS, kernel, SCALES, NOISE)({})


@pytest.mark.parametrize("kernel", ["cauchy", "rbf"])
def test_the_density_and_the_kl_are_those_of_the_joint_normal(kernel):
    whole, p = covariance(kernel), prior(kernel)
    z = DRAW.normal(size=(4, SERIES * STEPS)).astype(np.float32)
    np.testing.assert_allclose(p.log_prob(z), scipy.stats.multivariate_normal(cov=whole).logpdf(z), rtol=1e-4)
    q = Normal(jnp.asarray(z), jnp.asarray(DRAW.normal(size=z.shape), jnp.float32))
    joint = MultivariateNormal(jnp.zeros(len(whole)), jnp.linalg.cholesky(jnp.asarray(whole, jnp.float32)))
    np.testing.assert_allclose(kl_divergence(q, p), kl_divergence(q, joint), rtol=1e-4)


def test_samples_have_the_covariance():
    draws = jax.vmap(prior().sample)(jax.random.split(jax.random.key(0), 40_000))
    np.testing.assert_allclose(np.cov(draws.T), covariance("cauchy"), atol=0.03)


def test_without_correlation_it_is_the_standard_normal():
    p = GaussianProcessPrior(SERIES, STEPS, "rbf", (2.0,), 1.0)({})
    q = Normal(jnp.ones((1, 15)), jnp.full((1, 15), -0.5))
    unit = Normal(jnp.zeros(15), jnp.zeros(15))
    np.testing.assert_allclose(kl_divergence(q, p), kl_divergence(q, unit), rtol=1e-6)


@pytest.mark.parametrize("space", [Real((24, 2)), Incomplete((21,))])
def test_a_model_of_signals_has_smooth_codes(space):
    recipe = given(preset="signal_vae", networks="series", prior="gaussian_process", latent_dim=24, channels=(4,))
    x = space.zeros(3)
    if space.shape == (21,):
        with pytest.raises(
            InputError, match="latent-dim: must be a multiple of the 11 steps of a latent series; give 22"
        ):
            recipe.build(space)
        recipe = given(recipe, latent_dim=22)
    model = recipe.build(space)
    assert (model.prior.num_series, model.prior.num_steps) == (2, 12 if space.shape == (24, 2) else 11)
    params, keys = jax.jit(model.init)(jax.random.key(0), x), rng.example_keys(jax.random.key(1), jnp.arange(3))
    assert isinstance(model.prior(params), GaussianProcess)
    assert jax.eval_shape(lambda: model.sample(params, jax.random.key(2), 2)).shape == (2, *space.shape)
    for loss in (elbo_loss, iwae_loss):
        function = jax.value_and_grad(lambda params, loss=loss: loss(params, keys, x, model=model)[0])
        value, gradient = jax.jit(function)(params)
        assert np.isfinite(value)
        assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient))


def test_a_step_of_the_code_stands_for_its_place_in_time():
    """A pulse late in the signal moves late steps of every latent series, and none of the early ones."""
    recipe = given(preset="signal_vae", networks="series", latent_dim=32, channels=(4,))
    model = recipe.build(Real((32, 1)))
    zeros = jnp.zeros((1, 32, 1))
    params = model.init(jax.random.key(0), zeros)
    moved = model.encode(params, zeros.at[:, 28].set(5.0)).mean - model.encode(params, zeros).mean
    by_step = np.abs(moved.reshape(2, 16)).max(0)
    assert by_step[14] > 0.01
    np.testing.assert_array_equal(by_step[:12], 0)


def test_codes_that_are_no_series_are_refused():
    with pytest.raises(InputError, match="prior: gaussian_process needs codes that are series in time"):
        given(preset="signal_vae", prior="gaussian_process").build(Real((24, 2)))
    with pytest.raises(InputError, match=r"prior\.length-scales: must be positive numbers"):
        given(preset="signal_vae", prior="gaussian_process", **{"prior.length_scales": (0.0,)})
