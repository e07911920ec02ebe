"""A linear VAE learns probabilistic PCA: the subspace and the log-likelihood of the maximum-likelihood solution.

Tipping & Bishop 1999: with C's eigenvalues l_1 >= ... the maximum is at s^2 = mean of the discarded l, and W spans the
first eigenvectors. Lucas et al. 2019, https://arxiv.org/abs/1911.02469: the ELBO of a linear VAE has no other maximum.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from scipy.linalg import subspace_angles
from scipy.stats import multivariate_normal

from jaxvae import Functions, elbo_loss, rng
from jaxvae.distributions import Normal
from jaxvae.evaluation import log_marginal_likelihood

DIM, LATENT, NUM = 6, 2, 500

MODEL = Functions(
    encode=lambda p, x: Normal((x - p["b"]) @ p["V"], jnp.broadcast_to(p["log_var"], (len(x), LATENT))),
    decode=lambda p, z: Normal(z @ p["W"].T + p["b"], jnp.broadcast_to(p["noise"], (DIM,))),
    prior=lambda p: Normal(jnp.zeros(LATENT), jnp.zeros(LATENT)),
)


@pytest.fixture(scope="module")
def x():
    generator = np.random.default_rng(0)
    spread = np.diag([2.0, 1.4, 0.6, 0.5, 0.5, 0.4]) @ np.linalg.qr(generator.normal(size=(DIM, DIM)))[0]
    return (generator.normal(size=(NUM, DIM)) @ spread + 0.3).astype(np.float32)


@pytest.fixture(scope="module")
def trained(x):
    """By full batches with a falling learning rate, so that the noise of the gradient dies out."""
    draws = jax.random.normal(jax.random.key(0), (2, DIM, LATENT)) / 3
    params = {"W": draws[0], "V": draws[1], "b": jnp.zeros(DIM), "log_var": jnp.zeros(LATENT), "noise": jnp.zeros(())}
    optimizer = optax.adam(optax.cosine_decay_schedule(0.03, 3000))

    def step(carry, number):
        params, opt_state = carry
        key = rng.stream(rng.root(0), "noise", number)
        gradient, _ = jax.grad(elbo_loss, has_aux=True)(params, key, x, model=MODEL)
        updates, opt_state = optimizer.update(gradient, opt_state)
        return (optax.apply_updates(params, updates), opt_state), None

    run = jax.jit(lambda carry: jax.lax.scan(step, carry, jnp.arange(3000))[0])
    return run((params, optimizer.init(params)))[0]


def maximum_likelihood(x):
    values, vectors = np.linalg.eigh(np.cov(x.T, bias=True))
    noise = values[:-LATENT].mean()
    subspace = vectors[:, -LATENT:]
    covariance = subspace @ np.diag(values[-LATENT:] - noise) @ subspace.T + noise * np.eye(DIM)
    return subspace, noise, multivariate_normal(x.mean(0), covariance).logpdf(x).mean()


def test_training_finds_the_subspace_the_noise_and_the_log_likelihood(x, trained):
    subspace, noise, best = maximum_likelihood(np.float64(x))
    assert np.degrees(subspace_angles(np.float64(trained["W"]), subspace)).max() < 3
    assert np.exp(trained["noise"]) == pytest.approx(noise, rel=0.03)
    w = np.float64(trained["W"])
    covariance = w @ w.T + np.exp(np.float64(trained["noise"])) * np.eye(DIM)
    reached = multivariate_normal(np.float64(trained["b"]), covariance).logpdf(x).mean()
    assert best - 0.05 < reached <= best + 1e-6


def test_estimators_agree_with_the_trained_models_own_log_likelihood(x, trained):
    w = np.float64(trained["W"])
    covariance = w @ w.T + np.exp(np.float64(trained["noise"])) * np.eye(DIM)
    exact = multivariate_normal(np.float64(trained["b"]), covariance).logpdf(x[:50])
    estimate = log_marginal_likelihood(trained, rng.root(1), x[:50], model=MODEL)
    np.testing.assert_allclose(estimate.log_px, exact, atol=0.05)
    elbo = functools.partial(elbo_loss, model=MODEL, num_samples=200)
    gap = exact.mean() + float(jax.jit(elbo)(trained, rng.root(2), x[:50])[0])
    assert -0.05 < gap < 0.2  # the posterior can be exact but for a rotation
