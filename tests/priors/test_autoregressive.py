"""Autoregressive prior: its density step by step, and the least KL of independent normals, in closed form."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import optimize, stats

from jaxvae import kl_divergence, posteriors
from jaxvae.data.spaces import Real
from jaxvae.distributions import Normal
from jaxvae.errors import InputError
from jaxvae.facts import Facts
from jaxvae.priors.autoregressive import Autoregressive, AutoregressivePrior, least_kl

RNG = np.random.default_rng(0)


def facts(latent_dim, posterior=posteriors.normal):
    return Facts(Real((3,)), latent_dim, posterior=posterior)


def test_its_density_is_the_product_of_the_steps():
    prior = AutoregressivePrior(num_steps=4, num_channels=2, correlation=0.6)(None)
    z = RNG.normal(size=(5, 8))
    steps = z.reshape(5, 4, 2)
    expected = stats.norm.logpdf(steps[:, 0]).sum(1)
    expected = expected + stats.norm.logpdf(steps[:, 1:], 0.6 * steps[:, :-1], 0.8).sum((1, 2))
    np.testing.assert_allclose(prior.log_prob(jnp.asarray(z, jnp.float32)), expected, rtol=1e-5)


@pytest.mark.parametrize(("latent_dim", "channels"), [(2, 1), (8, 1), (8, 4), (32, 2)])
@pytest.mark.parametrize("wanted", [0.05, 1.0, 4.0])
def test_the_best_posterior_has_the_least_kl_and_no_other_has_less(latent_dim, channels, wanted):
    prior = Autoregressive(wanted, channels).build(facts(latent_dim))
    assert channels * least_kl(prior.num_steps, prior.correlation) == pytest.approx(wanted, rel=1e-6)
    p = prior(None)
    precision = np.linalg.inv(np.float64(p.cholesky) @ np.float64(p.cholesky).T)
    best = Normal(jnp.zeros(latent_dim), jnp.asarray(-np.log(np.diag(precision)), jnp.float32))
    assert kl_divergence(best, p) == pytest.approx(wanted, rel=1e-3, abs=1e-4)
    mean, log_var = RNG.normal(size=(2, 200, latent_dim)) * [[[0.5]], [[1.0]]]
    others = Normal(jnp.asarray(mean, jnp.float32), best.log_var + jnp.asarray(log_var, jnp.float32))
    assert (kl_divergence(others, p) > wanted).all()


def test_a_search_finds_no_less_either():
    p = Autoregressive(1.5).build(facts(5))(None)

    @jax.jit
    @jax.value_and_grad
    def kl(both):
        return kl_divergence(Normal(both[:5], both[5:]), p)

    found = optimize.minimize(kl, RNG.normal(size=10).astype(np.float32), jac=True)
    assert found.fun == pytest.approx(1.5, abs=1e-3)


def test_what_would_have_no_least_kl_is_refused():
    with pytest.raises(InputError, match="prior: autoregressive bounds the KL of independent normals alone; use"):
        Autoregressive().build(facts(4, posteriors.multivariate_normal))
    for latent_dim, channels in ((5, 2), (3, 3)):
        with pytest.raises(InputError, match=rf"prior.channels: {channels} do not divide the {latent_dim} dimensions"):
            Autoregressive(channels=channels).build(facts(latent_dim))
    with pytest.raises(InputError, match=r"prior.least-kl: 9 nats in 2 steps need a correlation of almost 1"):
        Autoregressive(9.0).build(facts(2))
    with pytest.raises(InputError, match=r"prior.least-kl: must be above 0 and finite, got 0"):
        Autoregressive(0.0).check()
