"""Chains: several stochastic layers, against the joint normal that a linear chain is."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from scipy.stats import multivariate_normal

from jaxvae import VAE, elbo_loss, likelihoods, rng
from jaxvae.distributions import Chain, Normal
from jaxvae.nets import Bound, MLPDecoder, MLPEncoder
from jaxvae.nets.links import Link
from jaxvae.objectives import iwae_loss
from jaxvae.posteriors import BottomUp
from jaxvae.priors import StandardNormal, TopDown

A, B = np.array([[1.0, -0.5, 0.3], [0.2, 0.8, -1.0]]), np.array([0.1, -0.2, 0.5])
LOG_VAR = np.array([-0.4, 0.2, 0.0])


def linear_link():
    """(a, b) -> N(a A + B, exp(LOG_VAR)), whatever the network is: here one dense layer."""
    params = {"kernel": jnp.float32(np.hstack([A, np.zeros((2, 3))])), "bias": jnp.float32(np.hstack([B, LOG_VAR]))}
    return Link(Bound(params, nn.Dense(6)))


def chain(backwards=False, batch=()):
    return Chain(Normal(jnp.zeros((*batch, 2)), jnp.zeros((*batch, 2))), (linear_link(),), backwards=backwards)


def joint():
    """Of (a, b), five numbers."""
    covariance = np.block([[np.eye(2), A], [A.T, A.T @ A + np.diag(np.exp(LOG_VAR))]])
    return multivariate_normal(np.hstack([np.zeros(2), B]), covariance)


@pytest.mark.parametrize("backwards", [False, True])
def test_log_prob_is_that_of_the_joint(backwards):
    values = joint().rvs(50, random_state=0)
    value = (values[:, :2], values[:, 2:])
    log_prob = chain(backwards).log_prob(value[::-1] if backwards else value)
    np.testing.assert_allclose(log_prob, joint().logpdf(values), rtol=1e-4, atol=1e-4)


def test_samples_have_the_moments_of_the_joint():
    keys = jax.random.split(jax.random.key(0), 40_000)
    b, a = jax.jit(chain(backwards=True, batch=(40_000,)).sample)(keys)
    values = np.float64(np.hstack([a, b]))
    np.testing.assert_allclose(values.mean(0), joint().mean, atol=6 * np.sqrt(np.diag(joint().cov).max() / 40_000))
    np.testing.assert_allclose(np.cov(values.T), joint().cov, atol=0.06)


def test_an_examples_values_come_from_its_own_key_alone():
    keys = jax.random.split(jax.random.key(0), 3)
    whole, last = chain(batch=(3,)).sample(keys), chain(batch=(1,)).sample(keys[2:])
    jax.tree.map(lambda all_, one: np.testing.assert_allclose(all_[2:], one, rtol=1e-6), whole, last)
    assert all((abs(np.diff(value, axis=0)) > 1e-3).all() for value in whole)


def two_layers():
    return VAE(
        MLPEncoder((8,), 6),
        MLPDecoder((8,), (5,)),
        TopDown(StandardNormal(2), (MLPEncoder((8,), 6),)),
        BottomUp((MLPEncoder((8,), 4),)),
        likelihoods.bernoulli,
    )


@pytest.mark.slow
@pytest.mark.parametrize("loss", [elbo_loss, iwae_loss])
def test_every_bound_takes_a_model_of_two_layers_and_every_parameter_learns(loss):
    model, x = two_layers(), (jnp.arange(35).reshape(7, 5) % 3 == 0).astype(jnp.float32)
    params = jax.jit(model.init)(jax.random.key(0), x)
    assert set(params) == {"encoder", "posterior", "prior", "decoder"}
    gradient, terms = jax.jit(jax.grad(lambda p: loss(p, rng.root(1), x, model=model, num_samples=4), has_aux=True))(
        params
    )
    assert all((leaf != 0).any() for leaf in jax.tree.leaves(gradient))
    assert terms.kl.shape == (7,)
    z1, z2 = jax.eval_shape(lambda: model.encode(params, x).mean)
    assert (z1.shape, z2.shape) == ((7, 3), (7, 2))
    assert jax.eval_shape(lambda: model.sample(params, jax.random.key(2), 4)).shape == (4, 5)
    assert jax.eval_shape(model.reconstruct, params, x).shape == x.shape
    assert model == two_layers()
