"""InfoVAE: against the ELBO, the estimator of the evaluation, and the closed form for two Gaussians."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae import Functions, elbo_loss, rng
from jaxvae.distributions import Delta, Normal
from jaxvae.errors import InputError
from jaxvae.judges import squared_mmd
from jaxvae.objectives import draws, info_vae_loss

N, D = 7, 2
X = jnp.asarray(np.random.default_rng(0).normal(size=(N, D)), jnp.float32)
MODEL = Functions(
    encode=lambda params, x: Normal(params * x, jnp.full_like(x, -1.0)),
    decode=lambda params, z: Normal(z, jnp.full(D, -0.5)),
    prior=lambda params: Normal(jnp.zeros(D), jnp.zeros(D)),
)
PARAMS = jnp.float32(1.5)


def keys(num=N):
    return rng.example_keys(jax.random.key(1), jnp.arange(num))


@pytest.mark.slow
def test_without_the_discrepancy_it_is_the_elbo():
    def value(loss, **options):
        function = jax.value_and_grad(functools.partial(loss, model=MODEL, **options), has_aux=True)
        return jax.jit(function)(PARAMS, keys(), X)

    (loss, terms), slope = value(info_vae_loss, alpha=0.0, mmd_weight=0.0)
    (expected, elbo), expected_slope = value(elbo_loss)
    np.testing.assert_allclose([loss, slope], [expected, expected_slope], rtol=1e-6)
    np.testing.assert_array_equal(terms.kl, elbo.kl)


@pytest.mark.parametrize("bandwidth", [1.0, 0.6])
def test_the_shares_average_to_the_estimate_of_the_evaluation(bandwidth):
    draw = draws.draw(PARAMS, keys(), X, model=MODEL)
    of_prior = draws.draw_prior(draw, draws.stream(keys(), "prior"))
    _, terms = info_vae_loss(PARAMS, keys(), X, model=MODEL, bandwidth=bandwidth)
    np.testing.assert_allclose(terms.squared_mmd.mean(), squared_mmd(draw.z, of_prior, scale=bandwidth), rtol=1e-4)
    loss, terms = info_vae_loss(PARAMS, keys(), X, model=MODEL, alpha=0.3, mmd_weight=5.0, bandwidth=bandwidth)
    np.testing.assert_allclose(
        loss, (0.7 * terms.kl + 5.0 * terms.squared_mmd - terms.log_likelihood).mean(), rtol=1e-5
    )


def test_the_discrepancy_of_two_gaussians_is_the_closed_form():
    """E exp(-|a - b|^2 / c) of a - b ~ N(0, s) is (1 + 2 s / c)^(-D/2)."""
    num, c = 2000, 2 * D
    spread = MODEL._replace(encode=lambda params, x: Normal(jnp.zeros_like(x), jnp.full_like(x, jnp.log(4.0))))
    _, terms = jax.jit(functools.partial(info_vae_loss, model=spread, kernel="rbf"))(
        PARAMS, keys(num), jnp.zeros((num, D))
    )
    within, across, outside = ((1 + 2 * s / c) ** (-D / 2) for s in (8.0, 5.0, 2.0))
    error = terms.squared_mmd.std() / num**0.5
    assert abs(terms.squared_mmd.mean() - (within + outside - 2 * across)) < 6 * error < 0.05


def test_a_point_may_be_the_posterior_where_the_kl_is_left_out():
    model = MODEL._replace(encode=lambda params, x: Delta(params * x))
    loss, terms = info_vae_loss(PARAMS, keys(), X, model=model, alpha=1.0)
    np.testing.assert_allclose(loss, (10.0 * terms.squared_mmd - terms.log_likelihood).mean(), rtol=1e-5)


def test_one_example_has_no_pairs():
    loss, gradient = jax.value_and_grad(lambda p: info_vae_loss(p, keys(1), X[:1], model=MODEL)[0])(PARAMS)
    assert jnp.isfinite(loss)
    assert jnp.isfinite(gradient)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kernel": "rfb"}, r"kernel: must be one of imq, rbf, got 'rfb' \(did you mean"),
        ({"alpha": 1.5}, "alpha: must be from 0 to 1, got 1.5"),
    ],
)
def test_wrong_options_are_named(options, message):
    with pytest.raises(InputError, match=message):
        info_vae_loss(PARAMS, keys(), X, model=MODEL, **options)
