"""Random variations: their moments, and that each has noise of its own."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae import rng
from jaxvae.distributions import Delta, MultivariateNormal, Normal
from jaxvae.errors import InputError
from jaxvae.latent import vary, vary_posterior

NUM = 4000
KEY = rng.root(0)
Z = jnp.array([1.0, -2.0])


def assert_normal(samples, mean, std):
    """Mean and deviation within 6 standard errors."""
    assert (abs(samples.mean(0) - mean) < 6 * std / NUM**0.5).all()
    assert (abs(samples.std(0) - std) < 6 * std / (2 * NUM) ** 0.5).all()


@pytest.mark.parametrize("scale", [0.5, np.array([0.1, 3.0])], ids=["one scale", "one each"])
def test_noise_has_its_size(scale):
    assert_normal(np.asarray(vary(KEY, Z, NUM, scale)), Z, scale * np.ones(2))


@pytest.mark.parametrize("widen", [1.0, 3.0])
def test_the_posterior_is_widened_about_its_mean(widen):
    posterior = Normal(Z, jnp.log(jnp.array([0.25, 4.0])))
    assert_normal(np.asarray(vary_posterior(KEY, posterior, NUM, widen)), Z, widen * np.array([0.5, 2.0]))


def test_any_posterior_can_be_widened():
    posterior = MultivariateNormal(Z, jnp.array([[1.0, 0.0], [0.8, 0.6]]))
    draws = np.asarray(vary_posterior(KEY, posterior, NUM, 2.0))
    # A correlation r has standard error (1 - r^2) / sqrt(N).
    assert abs(np.corrcoef(draws.T)[0, 1] - 0.8) < 6 * 0.36 / NUM**0.5
    np.testing.assert_array_equal(vary_posterior(KEY, Delta(Z), 3, 8.0), [Z] * 3)


def test_a_variation_is_the_same_however_many_there_are_and_however_wide():
    np.testing.assert_array_equal(vary(KEY, Z, 2), vary(KEY, Z, 5)[:2])
    np.testing.assert_allclose(vary(KEY, Z, 3, 0.5) - Z, (vary(KEY, Z, 3) - Z) / 2, rtol=1e-5)
    assert len(np.unique(vary(KEY, Z, 5)[:, 0])) == 5
    assert (vary(rng.root(1), Z, 5) != vary(KEY, Z, 5)).all()


def test_codes_of_a_batch_vary_each_by_themselves():
    codes = vary(KEY, jnp.zeros((4, 2)), 3)
    assert codes.shape == (3, 4, 2)
    assert len(np.unique(codes)) == codes.size
    posterior = Normal(jnp.zeros((4, 2)), jnp.zeros((4, 2)))
    assert len(np.unique(jax.jit(vary_posterior, static_argnums=2)(KEY, posterior, 3))) == codes.size


@pytest.mark.parametrize("call", [lambda: vary(KEY, Z, 0), lambda: vary_posterior(KEY, Delta(Z), 0)])
def test_no_variations_are_bad_input(call):
    with pytest.raises(InputError, match="num: must be at least 1, got 0"):
        call()
