"""A weight of 0 makes an example padding, whatever it holds; and beta = 0 leaves the KL out, however large it is."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae import VAE, Functions, elbo_loss, nets, priors, rng
from jaxvae.distributions import Normal
from jaxvae.objectives import CORRUPTIONS, ciwae_loss, denoising, iwae_loss, kl_only_loss, piwae_loss
from jaxvae.objectives.weights import weighted_mean

OBJECTIVES = {
    "elbo": elbo_loss,
    "kl_only": kl_only_loss,
    "iwae": iwae_loss,
    "dreg": functools.partial(iwae_loss, num_groups=2, gradient="dreg"),
    "stl": functools.partial(iwae_loss, gradient="stl"),
    "ciwae": functools.partial(ciwae_loss, num_samples=3),
    "piwae": functools.partial(piwae_loss, num_samples=2, num_groups=2),
    "denoising": denoising(elbo_loss, CORRUPTIONS["noise"], 0.5),
}
MODEL = VAE(nets.MLPEncoder((6,), 4), nets.MLPDecoder((6,), (3, 1)), priors.StandardNormal(2))
X = jnp.array([[0.0, 1.0, 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, 1.0], [0.0, 0.0, 0.0]])[..., None]
CONDITION = jnp.ones((4, 2))
WEIGHTS = jnp.array([1.0, 2.0, 1.0, 0.0])


@pytest.fixture(scope="module")
def params():
    return MODEL.init(jax.random.key(0), X, CONDITION)


@pytest.mark.quick_rows("elbo", "piwae")
@pytest.mark.parametrize("name", OBJECTIVES)
def test_padding_may_hold_anything(name, params):
    """Loss and gradient are those of the examples that count, alone."""
    loss = jax.jit(jax.value_and_grad(functools.partial(OBJECTIVES[name], model=MODEL), has_aux=True))

    def of_rows(x, condition, weights, num):
        keys = rng.example_keys(jax.random.key(1), jnp.arange(num))
        return loss(params, keys, x[:num], condition=condition[:num], weights=weights[:num])

    (expected, _), gradient = of_rows(X, CONDITION, WEIGHTS, 3)
    for nonsense in (jnp.nan, jnp.inf, -1e30):
        spoilt = [array.at[3].set(nonsense) for array in (X, CONDITION)]
        (value, terms), spoilt_gradient = of_rows(*spoilt, WEIGHTS, 4)
        np.testing.assert_allclose(value, expected, rtol=1e-6)
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6), spoilt_gradient, gradient)
        assert all(jnp.isfinite(term).all() for term in terms)


def test_a_mean_leaves_out_what_has_no_weight():
    assert weighted_mean(jnp.array([1.0, jnp.nan, 3.0]), jnp.array([True, False, True])) == 2
    assert weighted_mean(jnp.array([jnp.inf, jnp.nan]), jnp.zeros(2)) == 0
    assert jnp.isnan(weighted_mean(jnp.array([1.0, jnp.nan]), jnp.ones(2)))


LARGE = Functions(
    encode=lambda params, x: Normal(params * jnp.ones((len(x), 2)), 90 * params * jnp.ones((len(x), 2))),
    decode=lambda params, z: Normal(0 * z, jnp.zeros_like(z)),
    prior=lambda params: Normal(params * jnp.zeros(2), -90 * params * jnp.ones(2)),
)


@pytest.mark.parametrize("how", ["known", "traced", "scalar array"])
def test_without_beta_an_infinite_kl_adds_nothing(how):
    x = jnp.ones((3, 2))

    def loss(params, beta):
        return elbo_loss(params, jax.random.key(0), x, model=LARGE, beta=beta)

    call = jax.value_and_grad(loss, has_aux=True)
    call = jax.jit(call) if how == "traced" else call
    (value, terms), gradient = call(jnp.float32(1), 0.0 if how == "known" else jnp.zeros(()))
    assert jnp.isinf(terms.kl).all()
    assert value == pytest.approx(2 * (0.5 + 0.5 * np.log(2 * np.pi)))
    assert jnp.isfinite(gradient)


@pytest.mark.parametrize("gradient", ["standard", "stl", "dreg"])
def test_without_beta_infinite_weights_add_nothing(gradient):
    def loss(params, beta):
        return iwae_loss(params, jax.random.key(0), jnp.ones((3, 2)), model=LARGE, beta=beta, gradient=gradient)

    for call in (jax.value_and_grad(loss, has_aux=True), jax.jit(jax.value_and_grad(loss, has_aux=True))):
        (value, terms), slope = call(jnp.float32(1), 0.0)
        assert not jnp.isfinite(terms.kl).any()
        assert value == pytest.approx(2 * (0.5 + 0.5 * np.log(2 * np.pi)))
        assert jnp.isfinite(slope)


def test_one_example_without_beta_has_no_kl():
    loss, _ = elbo_loss(jnp.float32(1), jax.random.key(0), jnp.ones((3, 2)), model=LARGE, beta=jnp.zeros(3))
    assert jnp.isfinite(loss)


def test_a_traced_beta_has_the_gradient_of_a_known_one(params):
    loss = jax.value_and_grad(elbo_loss, has_aux=True)
    known = functools.partial(loss, params, jax.random.key(1), X, model=MODEL, condition=CONDITION)
    for beta in (0.0, 0.5):
        expected = jax.jit(functools.partial(known, beta=beta))()
        got = jax.jit(lambda beta: known(beta=beta))(beta)
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6), got, expected)
