"""The importance-weighted bound on the linear-Gaussian model, whose log p(x) is known."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as numpyro
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from jaxvae import Functions, elbo_terms, rng
from jaxvae.distributions import Delta, MultivariateNormal, Normal
from jaxvae.errors import InputError
from jaxvae.objectives import importance_weighted_bound, log_importance_weights, log_mean_exp

W = np.array([[1.0, 0.5], [-0.7, 1.2], [0.3, -0.4]])
B = np.array([0.5, -1.0, 0.2])
S = 0.6
X = np.array([[0.3, -2.0, 1.1], [1.5, 0.4, -0.2], [-0.9, 0.1, 0.6]])
A = np.eye(2) + W.T @ W / S**2
PRECISION = np.linalg.inv(W @ W.T + S**2 * np.eye(3))
REPEATS = 4000
XS = np.repeat(X, REPEATS, axis=0).astype(np.float32)
LOG_P = multivariate_normal(B, np.linalg.inv(PRECISION)).logpdf(XS)
bound = jax.jit(importance_weighted_bound, static_argnames=("model", "num_samples", "block_size"))


class Unregistered(Normal):
    """Of this type no closed form of the KL is known: `elbo_terms` takes it from the sample."""


def true_posterior(params, x):
    cholesky = np.linalg.cholesky(np.linalg.inv(A))
    return MultivariateNormal((x - B) @ (W @ np.linalg.inv(A) / S**2), jnp.broadcast_to(cholesky, (len(x), 2, 2)))


def wide_posterior(params, x, family=Unregistered):
    """About the true mean, too wide and without the correlation."""
    mean = true_posterior(params, x).mean
    return family(mean, jnp.broadcast_to(jnp.array([-0.7, -0.2]), mean.shape))


def linear_gaussian(posterior, normal=Normal):
    return Functions(
        encode=posterior,
        decode=lambda params, z: normal(z @ W.T + params, jnp.full(3, 2 * np.log(S))),
        prior=lambda params: normal(jnp.zeros(2), jnp.zeros(2)),
    )


TRUE, WIDE = linear_gaussian(true_posterior), linear_gaussian(wide_posterior)


@pytest.fixture(scope="module")
def keys():
    return jax.jit(rng.example_keys)(jax.random.key(0), jnp.arange(len(XS)))


@pytest.fixture(scope="module")
def log_weights(keys):
    """`[32, 3 * REPEATS]` of the wide posterior."""
    weights = functools.partial(log_importance_weights, model=WIDE, num_samples=32)
    return np.float64(jax.jit(weights)(B, keys, XS))


def test_from_the_true_posterior_every_sample_says_log_p_of_x(keys):
    np.testing.assert_allclose(bound(B, keys, XS, model=TRUE, num_samples=7), LOG_P, atol=1e-4)


def test_with_one_sample_it_is_the_elbo_of_that_sample(keys, log_weights):
    terms = jax.jit(functools.partial(elbo_terms, model=WIDE))(B, keys, XS)
    np.testing.assert_allclose(log_weights[0], terms.elbo, atol=1e-4)
    assert terms.elbo[:REPEATS].std() > 0.1, "so it is not by the mean that they agree"


def test_it_is_the_mean_of_the_first_weights_whatever_the_block(keys, log_weights):
    values = bound(B, keys, XS, model=WIDE, num_samples=4, block_size=3)
    np.testing.assert_allclose(values, logsumexp(log_weights[:4], axis=0) - np.log(4), atol=1e-4)


def test_it_rises_to_log_p_of_x_and_in_expectation_never_beyond(log_weights):
    gaps = [LOG_P - logsumexp(log_weights[:num], axis=0) + np.log(num) for num in (1, 2, 8, 32)]
    means = [gap.reshape(3, REPEATS).mean(1) for gap in gaps]
    errors = [gap.reshape(3, REPEATS).std(1) / REPEATS**0.5 for gap in gaps]
    for looser, tighter, *error in zip(means, means[1:], errors, errors[1:]):
        assert (looser - tighter > 6 * np.hypot(*error)).all()
    assert (np.array(means) > -6 * np.array(errors)).all()
    assert (abs(means[-1]) < 0.05).all()


def test_weights_that_would_underflow_are_averaged_in_logarithms():
    values = jnp.array([[-1e4, 3.0], [-1e4 + 1, -1e4]])
    expected = [-1e4 + np.log((1 + np.e) / 2), 3 - np.log(2)]
    np.testing.assert_allclose(log_mean_exp(values), expected, rtol=1e-6)


def test_numpyros_distributions_give_what_ours_give():
    def normal(mean, log_var):
        return numpyro.Normal(mean, jnp.exp(0.5 * log_var))

    theirs = linear_gaussian(functools.partial(wide_posterior, family=normal), normal)

    @jax.jit
    def both(key, x):
        return [importance_weighted_bound(B, key, x, model=model, num_samples=5) for model in (theirs, WIDE)]

    np.testing.assert_allclose(*both(jax.random.key(0), X), atol=1e-5)


def test_the_condition_reaches_all_three_functions():
    seen = set()

    def remember(name):
        def normal(*arguments):
            seen.add((name, arguments[-1].shape))
            return Normal(jnp.zeros((3, 3)), jnp.zeros((3, 3)))

        return normal

    weights = functools.partial(
        log_importance_weights, model=Functions(*map(remember, Functions._fields)), num_samples=2
    )
    jax.eval_shape(lambda key: weights(None, key, X, condition=jnp.ones((3, 7))), jax.random.key(0))
    assert seen == {(name, (3, 7)) for name in Functions._fields}


def test_its_gradient_is_that_of_log_p_of_x_where_the_posterior_is_true(keys):
    """In b, of log N(x; b, C), it is C^-1 (x - b): by Fisher's identity in expectation over the samples."""
    value = jax.jit(jax.jacfwd(functools.partial(bound, model=TRUE, num_samples=2)))
    gradient = np.asarray(value(jnp.float32(B), keys, XS)).reshape(3, REPEATS, 3)
    error = gradient.std(1, ddof=1) / REPEATS**0.5
    np.testing.assert_array_less(abs(gradient.mean(1) - (X - B) @ PRECISION), 6 * error + 1e-5)


def test_a_point_has_no_density():
    with pytest.raises(InputError, match="its posterior is a Delta"):
        bound(B, jax.random.key(0), X, model=linear_gaussian(lambda params, x: Delta(x[:, :2])), num_samples=2)


def test_a_key_each_is_refused_where_the_library_takes_one(keys):
    model = linear_gaussian(lambda params, x: numpyro.Normal(x[:, :2], 1.0))
    with pytest.raises(ValueError, match="give one key"):
        bound(B, keys, XS, model=model, num_samples=2)
