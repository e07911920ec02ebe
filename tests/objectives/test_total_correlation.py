"""beta-TC loss: against the ELBO, the decomposition of a whole set, and an enumeration of all batches."""

import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae import Functions, elbo_loss, rng
from jaxvae.distributions import MultivariateNormal, Normal
from jaxvae.errors import InputError
from jaxvae.evaluation import decompose_kl
from jaxvae.objectives import beta_tc_loss
from jaxvae.objectives.total_correlation import SHARES

N, D = 6, 3
X = jnp.asarray(np.random.default_rng(0).normal(size=(N, D)), jnp.float32)
PARAMS = {"scale": jnp.float32(1.3), "log_var": jnp.array([-1.0, 0.2, -0.5]), "b": jnp.array([0.1, -0.3, 0.0])}


class Unregistered(Normal):
    """Normal without a closed form, so that the KL of `elbo_loss` is sampled too."""


def model(family=Normal):
    return Functions(
        encode=lambda params, x: Normal(params["scale"] * x, jnp.broadcast_to(params["log_var"], x.shape)),
        decode=lambda params, z: Normal(z + params["b"], jnp.full(D, -0.5)),
        prior=lambda params: family(jnp.zeros(D), jnp.zeros(D)),
    )


def keys():
    return rng.example_keys(jax.random.key(1), jnp.arange(N))


def loss_and_gradient(loss, family=Normal, **options):
    function = jax.value_and_grad(functools.partial(loss, model=model(family), **options), has_aux=True)
    return jax.jit(function)(PARAMS, keys(), X)


@pytest.mark.parametrize("estimator", SHARES)
def test_with_weights_of_one_it_is_the_elbo(estimator):
    ones = {"alpha": 1.0, "beta": 1.0, "gamma": 1.0}
    (loss, terms), gradient = loss_and_gradient(beta_tc_loss, num_examples=50, estimator=estimator, **ones)
    (expected, elbo), expected_gradient = loss_and_gradient(elbo_loss, Unregistered)
    np.testing.assert_allclose(loss, expected, rtol=1e-5)
    np.testing.assert_allclose(terms.kl, elbo.kl, rtol=1e-4, atol=1e-5)
    jax.tree.map(functools.partial(np.testing.assert_allclose, rtol=1e-3, atol=1e-5), gradient, expected_gradient)


def test_on_the_whole_set_it_is_the_decomposition_of_its_kl(monkeypatch):
    noise = 0.7 * jnp.array([1.0, -1.0, 0.3])
    monkeypatch.setattr(Normal, "sample", lambda d, key: d.mean + jnp.exp(0.5 * d.log_var) * noise)
    _, terms = beta_tc_loss(PARAMS, keys(), X, model=model(), num_examples=N)
    posterior, prior = model().encode(PARAMS, X), model().prior(PARAMS)
    exact = decompose_kl(jax.random.key(0), posterior, prior, block_size=4)
    for name in exact._fields:
        np.testing.assert_allclose(getattr(terms, name).mean(), getattr(exact, name), rtol=1e-4, atol=1e-5)


def test_the_stratified_estimate_of_q_has_no_bias():
    """Averaged over all batches with the own example, each posterior has the weight 1 / N, as in q(z)."""
    total, batches = np.zeros(N), list(itertools.combinations(range(1, N), 2))
    for others in batches:
        rows = [0, *others]
        share = SHARES["mss"](jnp.arange(1)[:, None] == jnp.arange(3), jnp.ones((1, 1)), jnp.ones(3), N)
        total[rows] += np.asarray(share[0])
    np.testing.assert_allclose(total / len(batches), np.full(N, 1 / N), rtol=1e-6)


@pytest.mark.parametrize(("estimator", "factor"), [("mss", 0.0), ("mws", np.log(50))])
def test_equal_posteriors_carry_no_information(estimator, factor):
    _, terms = beta_tc_loss(
        {**PARAMS, "scale": 0.0}, keys(), X, model=model(), num_examples=50, estimator=estimator, beta=2.0
    )
    np.testing.assert_allclose(terms.mutual_information, np.full(N, factor), atol=1e-5)
    np.testing.assert_allclose(terms.total_correlation, np.full(N, (D - 1) * factor), atol=1e-5)


def test_one_example_is_its_own_aggregate():
    _, terms = beta_tc_loss(PARAMS, keys()[:1], X[:1], model=model(), num_examples=50)
    np.testing.assert_allclose(terms.mutual_information, [0.0], atol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"estimator": "msw"}, r"estimator: must be one of mss, mws, got 'msw' \(did you mean"),
        ({"num_examples": 0}, "num_examples: must be at least 1"),
        ({"beta": -1.0}, "beta: must be 0 or more"),
        ({"model": model()._replace(encode=lambda params, x: MultivariateNormal(x, jnp.eye(D)))}, "needs a Normal"),
    ],
)
def test_what_has_no_decomposition_is_refused(options, message):
    with pytest.raises(InputError, match=message):
        beta_tc_loss(PARAMS, keys(), X, **{"model": model(), "num_examples": 50, **options})
