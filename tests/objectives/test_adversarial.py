"""Objectives with a critic: who learns from what, permutations, and the critic whose answer is known."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate, stats

from jaxvae import VAE, Functions, elbo_loss, nets, priors, rng
from jaxvae.distributions import Normal
from jaxvae.extras import Critic
from jaxvae.facts import Facts
from jaxvae.objectives import adversarial_autoencoder_loss, factor_vae_loss
from jaxvae.objectives.adversarial import permute_dimensions

D = 2
CRITIC = Critic(hidden=(5,)).build(Facts(None, D))
NETWORKS = nets.MLPEncoder((6,), 2 * D), nets.MLPDecoder((6,), (3,))
MODEL = VAE(*NETWORKS, priors.StandardNormal(D), extras=(("critic", CRITIC),))
X = jnp.array([[0.0, 1.0, 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, 1.0], [0.0, 0.0, 0.0]])


def keys(num=4):
    return rng.example_keys(jax.random.key(1), jnp.arange(num))


@pytest.fixture(scope="module")
def params():
    return MODEL.init(jax.random.key(0), X)


def gradient(loss, params):
    return jax.jit(jax.grad(lambda p: loss(p)[0]))(params)


def close(a, b):
    jax.tree.map(functools.partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-6), a, b)


LOSSES = {
    "factor": (factor_vae_loss, "density_ratio", "gamma"),
    "adversarial": (adversarial_autoencoder_loss, "adversarial", "adversarial_weight"),
}


@pytest.mark.quick_rows("factor")
@pytest.mark.parametrize("name", LOSSES)
def test_each_player_descends_its_own_loss(params, name):
    """The critic gets the gradient of its loss alone, the others that of the autoencoder with a fixed critic."""
    loss, judged, weight = LOSSES[name]
    objective = functools.partial(loss, key=keys(), x=X, model=MODEL, critic=CRITIC)
    both = gradient(functools.partial(objective, **{weight: 3.0}), params)
    alone = gradient(lambda p: (objective(p)[1].critic_loss.mean(), None), params)
    close(both["critic"], alone["critic"])
    assert all((leaf == 0).all() for part in ("encoder", "decoder") for leaf in jax.tree.leaves(alone[part]))

    def autoencoder(p):
        terms = objective({**p, "critic": params["critic"]})[1]
        kl = terms.kl if name == "factor" else 0.0
        return (kl + 3.0 * getattr(terms, judged) - terms.log_likelihood).mean(), None

    expected = gradient(autoencoder, params)
    close([both["encoder"], both["decoder"]], [expected["encoder"], expected["decoder"]])
    value, _ = objective(params, **{weight: 3.0})
    np.testing.assert_allclose(value, autoencoder(params)[0], rtol=1e-5)
    assert MODEL.labels(params)["critic"]["output"]["bias"] == "critic"


@pytest.mark.parametrize("name", LOSSES)
def test_a_critic_of_zero_leaves_the_autoencoder_alone(params, name):
    objective = functools.partial(LOSSES[name][0], key=keys(), x=X, model=MODEL, critic=lambda z: jnp.zeros(len(z)))
    got = gradient(objective, params)

    def expected(p):
        terms = elbo_loss(p, keys(), X, model=MODEL)[1]
        return (-(terms.elbo if name == "factor" else terms.log_likelihood)).mean(), None

    wanted = gradient(expected, params)
    close([got["encoder"], got["decoder"]], [wanted["encoder"], wanted["decoder"]])


def test_every_column_is_permuted_on_its_own_over_the_rows_that_count():
    z = jnp.arange(18.0).reshape(6, 3)
    counts = jnp.array([1.0, 0.0, 2.0, 1.0, 0.0, 0.5])
    noise = jax.random.uniform(jax.random.key(4), z.shape)
    permuted, real = np.asarray(permute_dimensions(z, noise, counts)), np.flatnonzero(counts)
    np.testing.assert_array_equal(np.sort(permuted[real], axis=0), np.asarray(z)[real])
    np.testing.assert_array_equal(permuted[[1, 4]], np.asarray(z)[[1, 4]])
    assert len({tuple(column // 3) for column in permuted[real].T}) == 3
    alone = permute_dimensions(z[real], noise[real], counts[real])
    np.testing.assert_array_equal(alone, permuted[real])


def test_the_exact_critic_of_a_correlated_gaussian_gives_its_total_correlation():
    correlation, num = 0.8, 4000
    cholesky = np.linalg.cholesky([[1.0, correlation], [correlation, 1.0]])
    x = jnp.asarray(np.random.default_rng(0).normal(size=(num, D)) @ cholesky.T, jnp.float32)
    point = Functions(
        encode=lambda params, x: Normal(x, jnp.full_like(x, -60.0)),
        decode=lambda params, z: Normal(z, jnp.zeros(D)),
        prior=lambda params: Normal(jnp.zeros(D), jnp.zeros(D)),
    )

    def log_ratio(z):
        a, b = z.T
        squares = correlation**2 * (a**2 + b**2) - 2 * correlation * a * b
        return -0.5 * jnp.log(1 - correlation**2) - squares / (2 * (1 - correlation**2))

    terms = jax.jit(functools.partial(factor_vae_loss, model=point, critic=log_ratio))({}, keys(num), x)[1]
    error = float(terms.density_ratio.std()) / num**0.5
    assert abs(terms.density_ratio.mean() + 0.5 * np.log(1 - correlation**2)) < 6 * error < 0.1


def test_the_exact_critic_of_two_gaussians_has_the_loss_of_the_quadrature():
    """softplus(-D(y)) + softplus(D(z)), D = log p - log q, with q = N(1, 1) and p = N(0, 1)."""
    num, p, q = 4000, stats.norm(0, 1), stats.norm(1, 1)
    point = Functions(
        encode=lambda params, x: Normal(jnp.ones_like(x), jnp.zeros_like(x)),
        decode=lambda params, z: Normal(z, jnp.zeros(1)),
        prior=lambda params: Normal(jnp.zeros(1), jnp.zeros(1)),
    )
    loss = functools.partial(adversarial_autoencoder_loss, model=point, critic=lambda z: 0.5 - z[:, 0])
    terms = jax.jit(loss)({}, keys(num), jnp.zeros((num, 1)))[1]

    def integrand(z):
        return p.pdf(z) * np.logaddexp(0, z - 0.5) + q.pdf(z) * np.logaddexp(0, 0.5 - z)

    error = float(terms.critic_loss.std()) / num**0.5
    assert abs(terms.critic_loss.mean() - integrate.quad(integrand, -9, 10)[0]) < 6 * error < 0.1
