"""The exact oracle: with p(z) = N(0, I) and p(x|z) = N(W z + b, s^2 I) everything is known in closed form.

log p(x) = log N(x; b, C) with C = W W^T + s^2 I, and p(z|x) = N(A^-1 W^T (x - b) / s^2, A^-1) with A = I + W^T W / s^2.
The oracle is NumPy and SciPy in float64; Monte-Carlo averages must agree with it within six standard errors.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import multivariate_normal

from jaxvae import Functions, elbo_loss, elbo_terms
from jaxvae.distributions import MultivariateNormal, Normal

W = np.array([[1.0, 0.5], [-0.7, 1.2], [0.3, -0.4]])
B = np.array([0.5, -1.0, 0.2])
S = 0.6
X = np.array([[0.3, -2.0, 1.1], [1.5, 0.4, -0.2], [-0.9, 0.1, 0.6]])
C = W @ W.T + S**2 * np.eye(3)
A = np.eye(2) + W.T @ W / S**2
TRUE_MEAN = (X - B) @ W @ np.linalg.inv(A) / S**2
LOG_P = multivariate_normal(B, C).logpdf(X)
PARAMS = {"W": W, "b": B, "mean": np.array([0.4, -0.8]), "log_var": np.array([-1.0, 0.3])}
NUM_DRAWS = 10_000
jitted_terms = jax.jit(elbo_terms, static_argnames=("model", "num_samples"))


class Unregistered(MultivariateNormal):
    """Of this type no closed form is known: its KL is estimated as log q(z) - log p(z)."""


def true_posterior(params, x, kind=MultivariateNormal):
    """p(z|x) at the values above, whatever the parameters are: the encoder has parameters of its own."""
    cholesky = np.linalg.cholesky(np.linalg.inv(A))
    return kind((x - B) @ (W @ np.linalg.inv(A) / S**2), jnp.broadcast_to(cholesky, (len(x), 2, 2)))


def unregistered_posterior(params, x):
    return true_posterior(params, x, Unregistered)


def wrong_posterior(params, x):
    """Some diagonal normal, the same for every x."""
    return Normal(*(jnp.broadcast_to(params[name], (len(x), 2)) for name in ("mean", "log_var")))


def linear_gaussian(posterior):
    return Functions(
        encode=posterior,
        decode=lambda params, z: Normal(z @ params["W"].T + params["b"], 2 * jnp.log(S)),
        prior=lambda params: Normal(jnp.zeros(2), jnp.zeros(2)),
    )


def gap_of_wrong_posterior():
    """KL(q || p(z|x)) for each x."""
    mean, log_var = PARAMS["mean"], PARAMS["log_var"]
    shift = mean - TRUE_MEAN
    mahalanobis = np.einsum("bi,ij,bj->b", shift, A, shift)
    return 0.5 * (np.diag(A) @ np.exp(log_var) - 2 + mahalanobis - np.linalg.slogdet(A)[1] - log_var.sum())


def assert_mean(samples, expected):
    """The mean over the first axis is the expected one, within six standard errors."""
    samples = np.asarray(samples, np.float64)
    error = samples.std(0, ddof=1) / len(samples) ** 0.5
    np.testing.assert_array_less(np.abs(samples.mean(0) - expected), 6 * error + 1e-5)


def gradients(posterior):
    """`[NUM_DRAWS, ...]` independent estimates of the loss's gradient."""
    model, keys = linear_gaussian(posterior), jax.random.split(jax.random.key(1), NUM_DRAWS)

    def gradient(key):
        return jax.grad(elbo_loss, has_aux=True)(jax.tree.map(jnp.float32, PARAMS), key, jnp.float32(X), model=model)[0]

    return jax.jit(jax.vmap(gradient))(keys)


def test_each_sample_of_the_bound_is_log_p_of_x_where_the_posterior_is_true_and_the_kl_sampled():
    x = jnp.float32(np.tile(X, (100, 1)))
    terms = jitted_terms(PARAMS, jax.random.key(0), x, model=linear_gaussian(unregistered_posterior))
    np.testing.assert_allclose(terms.elbo, np.tile(LOG_P, 100), atol=1e-4)
    assert terms.log_likelihood.std() > 0.1  # so it is not the samples that agree


@pytest.mark.parametrize(
    ("posterior", "gap"), [(true_posterior, 0.0), (wrong_posterior, gap_of_wrong_posterior())], ids=["true", "wrong"]
)
def test_the_bound_is_log_p_of_x_less_the_divergence_from_the_true_posterior(posterior, gap):
    x = jnp.float32(np.repeat(X, NUM_DRAWS, axis=0))
    terms = jitted_terms(PARAMS, jax.random.key(0), x, model=linear_gaussian(posterior))
    assert_mean(terms.elbo.reshape(3, NUM_DRAWS).T, LOG_P - gap)


def test_more_samples_leave_the_mean_and_divide_the_variance():
    x = jnp.float32(np.repeat(X[:1], NUM_DRAWS, axis=0))
    model = linear_gaussian(true_posterior)
    one = jitted_terms(PARAMS, jax.random.key(0), x, model=model)
    many = jitted_terms(PARAMS, jax.random.key(1), x, model=model, num_samples=8)
    assert_mean(many.elbo, LOG_P[0])
    assert_mean(8 * (many.elbo - LOG_P[0]) ** 2 - (one.elbo - LOG_P[0]) ** 2, 0.0)


@pytest.mark.parametrize("posterior", [true_posterior, unregistered_posterior], ids=["exact_kl", "sampled_kl"])
def test_at_the_true_posterior_the_model_learns_by_the_gradient_of_log_p_of_x(posterior):
    """Fisher's identity: E_p(z|x)[ d log p(x, z) ] = d log p(x), here of log N(x; b, C)."""
    gradient = gradients(posterior)
    residual = (X - B) @ np.linalg.inv(C)
    assert_mean(gradient["b"], -residual.mean(0))
    assert_mean(gradient["W"], -(residual.T @ residual / len(X) - np.linalg.inv(C)) @ W)


def test_a_wrong_posterior_learns_by_the_gradient_of_its_gap():
    gradient = gradients(wrong_posterior)
    assert_mean(gradient["mean"], A @ (PARAMS["mean"] - TRUE_MEAN.mean(0)))
    assert_mean(gradient["log_var"], 0.5 * (np.diag(A) * np.exp(PARAMS["log_var"]) - 1))
