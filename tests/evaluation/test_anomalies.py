"""Anomaly scores where the density is known, of a linear-Gaussian model that is a probabilistic PCA."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import rankdata
from sklearn.decomposition import PCA

from jaxvae import Functions, presets, rng
from jaxvae.distributions import Bernoulli, Columns, MultivariateNormal, Normal
from jaxvae.distributions.by_value import log_prob_by_value
from jaxvae.errors import InputError
from jaxvae.evaluation import anomaly_scores, likelihood_regret

DRAW = np.random.default_rng(0)
X = (DRAW.normal(size=(60, 2)) @ DRAW.normal(size=(2, 5)) + 0.3 * DRAW.normal(size=(60, 5)) + 1).astype(np.float32)
FITTED = PCA(2).fit(X)
NOISE = FITTED.noise_variance_
W = FITTED.components_.T * np.sqrt(FITTED.explained_variance_ - NOISE)
A = np.eye(2) + W.T @ W / NOISE
PRIOR = Normal(jnp.zeros(2), jnp.zeros(2))


def model_of(posterior):
    """The probabilistic PCA with a posterior; that of scikit-learn has the same density."""
    return Functions(
        encode=posterior,
        decode=lambda params, z: Normal(z @ W.T + FITTED.mean_, jnp.full(5, np.log(NOISE))),
        prior=lambda params: PRIOR,
    )


def means(x):
    return (x - FITTED.mean_) @ W @ np.linalg.inv(A) / NOISE


def true(params, x):
    cholesky = np.linalg.cholesky(np.linalg.inv(A))
    return MultivariateNormal(means(x), jnp.broadcast_to(cholesky, (len(x), 2, 2)))


def wrong(params, x):
    """The same for every x."""
    return Normal(jnp.full((len(x), 2), 0.3), jnp.full((len(x), 2), -1.0))


def diagonal(params, x):
    """The true one, too: W has orthogonal columns."""
    return Normal(means(x), jnp.broadcast_to(-jnp.log(np.diag(A)), (len(x), 2)))


def keys(*ids):
    """New keys of all examples, or of some."""
    return rng.example_keys(rng.root(0), jnp.array(ids or range(60)))


def scored(x, model, num_samples):
    return anomaly_scores({}, keys(), x, model=model, num_samples=num_samples)


@pytest.mark.parametrize("name", ["negative_elbo", "negative_log_px"])
def test_ranks_are_those_of_the_density_of_a_probabilistic_pca(name):
    scores, wanted = scored(X, model_of(true), 2000)[name], -FITTED.score_samples(X)
    np.testing.assert_allclose(scores, wanted, atol=0.3 if name == "negative_elbo" else 1e-3)
    if name == "negative_log_px":
        np.testing.assert_array_equal(rankdata(scores), rankdata(wanted))


def test_the_reconstruction_is_scored_under_the_posterior_value_by_value():
    scores, residual = scored(X, model_of(diagonal), 4000), X - (means(X) @ W.T + FITTED.mean_)
    spread = np.square(W) @ (1 / np.diag(A))
    wanted = 0.5 * (np.log(2 * np.pi * NOISE) + (np.square(residual) + spread) / NOISE)
    np.testing.assert_allclose(scores["by_value"], wanted, atol=0.1)
    np.testing.assert_allclose(scores["by_value"].sum(1), scores["reconstruction"], atol=1e-5)


def test_an_example_is_scored_as_it_is_alone():
    model = model_of(wrong)
    together, regret = scored(X, model, 5), likelihood_regret({}, keys(), X, model=model, steps=5)
    for i in (0, 7):
        alone = anomaly_scores({}, keys(i), X[i : i + 1], model=model, num_samples=5)
        for name, values in alone.items():
            np.testing.assert_allclose(values[0], together[name][i], rtol=1e-5)
        alone = likelihood_regret({}, keys(i), X[i : i + 1], model=model, steps=5)
        np.testing.assert_allclose(alone[0], regret[i], rtol=1e-4)


def test_regret_is_the_gap_of_a_wrong_posterior_and_0_of_the_true_one():
    options = {"steps": 300, "learning_rate": 0.05, "num_samples": 400}
    found = likelihood_regret({}, keys(), X, model=model_of(wrong), **options)
    q, precision = wrong({}, X), np.diag(A)
    squares = precision * (np.square(q.mean - means(X)) + np.exp(q.log_var))
    gap = 0.5 * (squares - 1 - q.log_var - np.log(precision)).sum(1)
    np.testing.assert_allclose(found, gap, rtol=0.15, atol=0.1)
    assert (likelihood_regret({}, keys(), X, model=model_of(diagonal), **options) < 0.1).all()


def test_regret_wants_a_posterior_that_it_can_fit():
    with pytest.raises(InputError, match="regret fits a diagonal normal, its posterior is a MultivariateNormal"):
        likelihood_regret({}, rng.root(0), X, model=model_of(true))


def test_a_point_has_a_reconstruction_alone():
    model = presets.build("autoencoder", (5,), latent_dim=2, hidden=(4,))
    params = model.init(rng.root(0), X)
    assert anomaly_scores(params, rng.root(1), X, model=model, num_samples=2).keys() == {"reconstruction", "by_value"}


def test_columns_are_scored_one_by_one():
    heads = (
        Normal(jnp.array([[0.5, 1.0]]), jnp.zeros((1, 2)), event_ndim=0),
        Bernoulli(jnp.zeros((1, 1)), event_ndim=0),
    )
    row = {"x": jnp.array([[0.0, 1.0, 2.0]]), "observed": jnp.array([[True, True, False]])}
    columns = Columns(heads, ((0, 2), (1,)))
    np.testing.assert_allclose(
        log_prob_by_value(columns, row), [[-0.5 * np.log(2 * np.pi) - 0.125, -np.log(2), 0]], rtol=1e-6
    )
    with pytest.raises(TypeError, match="MultivariateNormal does not score values separately"):
        log_prob_by_value(true({}, X), X)


def test_scores_compile():
    assert jax.jit(lambda x: scored(x, model_of(wrong), 3))(X)["by_value"].shape == (60, 5)
