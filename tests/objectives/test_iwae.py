"""Importance-weighted losses on the linear-Gaussian model: values, gradients without bias, and their noise."""

import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import logsumexp

from jaxvae import Functions, elbo_loss, rng
from jaxvae.distributions import Delta, Normal
from jaxvae.distributions.base import distribution
from jaxvae.errors import InputError
from jaxvae.objectives import ciwae_loss, iwae_loss, log_importance_weights, piwae_loss

W = np.array([[1.0, 0.5], [-0.7, 1.2], [0.3, -0.4]], np.float32)
X = np.array([[0.3, -2.0, 1.1], [1.5, 0.4, -0.2]], np.float32)
PARAMS = {"mean": jnp.array([0.4, -0.8]), "log_var": jnp.array([-1.0, 0.3]), "b": jnp.array([0.5, -1.0, 0.2])}
REPEATS = 8000


@distribution
class Unregistered(Normal):
    """Of this type no closed form of the KL is known: `elbo_loss` takes it from the sample."""


MODEL = Functions(
    encode=lambda params, x: Unregistered(
        *(jnp.broadcast_to(params[name], (len(x), 2)) for name in ("mean", "log_var"))
    ),
    decode=lambda params, z: Normal(z @ W.T + params["b"], jnp.full(3, -1.0)),
    prior=lambda params: Normal(jnp.zeros(2), jnp.zeros(2)),
)


def loss_and_gradient(loss, **options):
    value = functools.partial(loss, model=MODEL, **options)
    return jax.jit(jax.value_and_grad(lambda params, key: value(params, key, X), has_aux=True))


@functools.cache
def gradients(loss, **options):
    """`[REPEATS]` independent losses and gradients, as float64."""
    keys = jax.random.split(jax.random.key(7), REPEATS)
    (value, _), gradient = jax.vmap(loss_and_gradient(loss, **options), in_axes=(None, 0))(PARAMS, keys)
    return np.float64(value), {name: np.float64(leaf) for name, leaf in gradient.items()}


def mean_and_error(samples):
    return samples.mean(0), samples.std(0, ddof=1) / len(samples) ** 0.5


def assert_same_mean(one, other):
    (mean, error), (other_mean, other_error) = mean_and_error(one), mean_and_error(other)
    np.testing.assert_array_less(abs(mean - other_mean), 6 * np.hypot(error, other_error) + 1e-6)


@pytest.mark.parametrize("gradient", ["standard", "stl", "dreg"])
def test_the_value_is_that_of_the_weights_whatever_the_gradient(gradient):
    keys = jax.random.split(jax.random.key(0), 2)
    loss, terms = iwae_loss(PARAMS, keys, X, model=MODEL, num_samples=3, num_groups=4, gradient=gradient)
    weights = np.float64(log_importance_weights(PARAMS, keys, X, model=MODEL, num_samples=12)).reshape(4, 3, 2)
    bound = (logsumexp(weights, axis=1) - np.log(3)).mean(0)
    np.testing.assert_allclose(terms.bound, bound, rtol=1e-5)
    np.testing.assert_allclose(loss, -bound.mean(), rtol=1e-5)
    np.testing.assert_allclose(terms.log_likelihood - terms.kl, weights.mean((0, 1)), rtol=1e-5)


def test_one_sample_makes_it_the_elbo_in_value_and_gradient():
    keys = jax.random.split(jax.random.key(1), 2)
    (loss, _), gradient = loss_and_gradient(iwae_loss, num_samples=1)(PARAMS, keys)
    (elbo, _), elbo_gradient = loss_and_gradient(elbo_loss)(PARAMS, keys)
    np.testing.assert_allclose(loss, elbo, rtol=1e-6)
    jax.tree.map(functools.partial(np.testing.assert_allclose, rtol=1e-4), gradient, elbo_gradient)


@pytest.mark.parametrize("beta", [0.3, jnp.float32(0.3)], ids=["number", "array"])
def test_beta_weighs_the_kl_of_every_sample(beta):
    keys = jax.random.split(jax.random.key(1), 2)
    (loss, terms), gradient = loss_and_gradient(iwae_loss, num_samples=1, beta=beta, gradient="dreg")(PARAMS, keys)
    np.testing.assert_allclose(loss, np.mean(0.3 * terms.kl - terms.log_likelihood), rtol=1e-5)
    assert all(np.isfinite(leaf).all() for leaf in gradient.values())


def test_the_doubly_reparameterized_gradient_has_no_bias_and_less_noise():
    (_, plain), (_, dreg) = gradients(iwae_loss, num_samples=8), gradients(iwae_loss, num_samples=8, gradient="dreg")
    for name in PARAMS:
        assert_same_mean(plain[name], dreg[name])
    for name in ("mean", "log_var"):
        assert (dreg[name].var(0) < 0.7 * plain[name].var(0)).all()
    np.testing.assert_allclose(dreg["b"], plain["b"], atol=1e-4)  # the decoder's gradient is the same


def test_without_the_score_there_is_less_noise_and_no_bias_at_one_sample():
    (_, plain), (_, stl) = gradients(iwae_loss, num_samples=1), gradients(iwae_loss, num_samples=1, gradient="stl")
    for name in PARAMS:
        assert_same_mean(plain[name], stl[name])
    many, many_stl = gradients(iwae_loss, num_samples=8)[1], gradients(iwae_loss, num_samples=8, gradient="stl")[1]
    assert (many_stl["mean"].var(0) < many["mean"].var(0)).all()


def test_groups_lie_between_the_elbo_and_the_bound_of_all_samples():
    losses = [gradients(iwae_loss, num_samples=12 // groups, num_groups=groups)[0] for groups in (12, 3, 1)]
    for looser, tighter in itertools.pairwise(losses):
        assert mean_and_error(looser - tighter)[0] > 6 * mean_and_error(looser - tighter)[1]


def test_piwae_takes_the_decoders_gradient_from_all_and_the_encoders_from_the_groups():
    value, piwae = gradients(piwae_loss, num_samples=4, num_groups=3)
    whole_value, whole = gradients(iwae_loss, num_samples=12)
    groups = gradients(iwae_loss, num_samples=4, num_groups=3)[1]
    np.testing.assert_allclose(value, whole_value, rtol=1e-5)
    np.testing.assert_allclose(piwae["b"], whole["b"], atol=1e-4)
    np.testing.assert_allclose(piwae["mean"], groups["mean"], atol=1e-4)


def test_ciwae_is_a_mixture_in_value_and_gradient():
    keys = jax.random.split(jax.random.key(2), 2)
    (one, _), d_one = loss_and_gradient(iwae_loss, num_samples=6)(PARAMS, keys)
    (many, _), d_many = loss_and_gradient(iwae_loss, num_samples=1, num_groups=6)(PARAMS, keys)
    (mixed, terms), d_mixed = loss_and_gradient(ciwae_loss, num_samples=6, elbo_share=0.3)(PARAMS, keys)
    np.testing.assert_allclose(mixed, 0.3 * many + 0.7 * one, rtol=1e-5)
    np.testing.assert_allclose(mixed, -terms.bound.mean(), rtol=1e-5)
    for name in PARAMS:
        np.testing.assert_allclose(d_mixed[name], 0.3 * d_many[name] + 0.7 * d_one[name], atol=1e-4)


@pytest.mark.parametrize("loss", [iwae_loss, ciwae_loss, piwae_loss])
def test_padding_adds_nothing(loss):
    keys = rng.example_keys(jax.random.key(3), jnp.arange(2))
    value = jax.jit(functools.partial(loss, PARAMS, model=MODEL, num_samples=4))
    alone, _ = value(keys[:1], X[:1])
    padded, _ = value(keys, X, weights=jnp.array([1.0, 0.0]))
    np.testing.assert_allclose(padded, alone, rtol=1e-6)


@pytest.mark.parametrize("loss", [iwae_loss, piwae_loss])
def test_a_point_has_no_density(loss):
    model = MODEL._replace(encode=lambda params, x: Delta(x[:, :2]))
    with pytest.raises(InputError, match="its posterior is a Delta"):
        loss(PARAMS, jax.random.key(0), X, model=model)
