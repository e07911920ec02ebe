"""Latent size of a library: its KL in closed form, its prior by batch, and the given size as a limit."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import lognorm

from jaxvae import rng
from jaxvae.data.spaces import Categories, Counts
from jaxvae.errors import InputError
from jaxvae.objectives import elbo_terms
from jaxvae.options import given

X = np.random.default_rng(0).poisson(np.geomspace(0.5, 8, 12)[:, None], (12, 5)).astype(np.float32)
X[0] = 0
BATCH = np.eye(2, dtype=np.float32)[np.arange(12) % 2]
KEYS = rng.example_keys(jax.random.key(0), jnp.arange(12))
LOG_TOTAL = np.log(np.maximum(X.sum(1), 1))


LATENT = {"posterior": "library", "prior": "library", "likelihood.latent_library": True}


def built(condition=BATCH, **options):
    named = "none" if condition is None else "label"
    recipe = given(preset="scvi", latent_dim=2, hidden=(4,), condition=named, **options)
    model = recipe.build(Counts((5,)), condition_space=None if condition is None else Categories(2))
    return model, model.init(jax.random.key(1), X, condition)


def test_the_prior_is_that_of_each_batch():
    model, params = built(**LATENT)
    prior = model.prior(params, BATCH[:2])
    for number in range(2):
        of_batch = LOG_TOTAL[BATCH[:, number] == 1]
        np.testing.assert_allclose(prior.mean[number], [0, 0, of_batch.mean()], atol=1e-5)
        np.testing.assert_allclose(np.exp(prior.log_var[number]), [1, 1, of_batch.var()], rtol=1e-4)
    model, params = built(None, **LATENT)
    prior = model.prior(params)
    np.testing.assert_allclose(
        [prior.mean[2], np.exp(prior.log_var[2])], [LOG_TOTAL.mean(), LOG_TOTAL.var()], rtol=1e-4
    )
    assert {*jax.tree.leaves(model.labels(params)["prior"])} == {"frozen"}


def test_the_kl_is_that_of_log_normal_sizes():
    model, params = built(None, **LATENT)
    q, p = model.encode(params, X), model.prior(params)
    kl = elbo_terms(params, KEYS, X, model=model).kl_per_dimension[:, 2]
    for number in (1, 7):
        of_q, of_p = (
            lognorm(float(jnp.exp(0.5 * log_var)), scale=float(jnp.exp(mean)))
            for mean, log_var in ((q.mean[number, 2], q.log_var[number, 2]), (p.mean[2], p.log_var[2]))
        )
        low, high = of_q.ppf([1e-10, 1 - 1e-10])

        def integrand(size, of_q=of_q, of_p=of_p):
            return of_q.pdf(size) * (of_q.logpdf(size) - of_p.logpdf(size))

        wanted, _ = quad(integrand, low, high, limit=200)
        assert float(kl[number]) == pytest.approx(wanted, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("likelihood", ["poisson", "negative_binomial"])
def test_a_posterior_that_is_the_observed_size_scores_as_the_given_size_does(likelihood):
    latent, params = built(None, likelihood=likelihood, **LATENT)
    observed, others = built(None, likelihood=likelihood, **{"likelihood.library": True})
    z = jax.random.normal(jax.random.key(3), (12, 2))
    known = {**others, "decoder": params["decoder"]["decoder"]}
    size = jnp.asarray(LOG_TOTAL)[:, None]
    found = latent.decode(params, jnp.concatenate([z, size], axis=1)).log_prob(X)
    np.testing.assert_allclose(found[1:], observed.decode(known, z).log_prob(X)[1:], rtol=1e-5)
    silent = {**params, "encoder": jax.tree.map(jnp.zeros_like, params["encoder"])}
    np.testing.assert_allclose(latent.encode(silent, X).mean[:, 2], LOG_TOTAL, rtol=1e-5)
    total = latent.decode(params, jnp.concatenate([z, size], axis=1)).mean.sum(1)
    if likelihood == "poisson":
        np.testing.assert_allclose(total, np.exp(LOG_TOTAL), rtol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({**LATENT, "posterior": "normal"}, "needs --posterior library and --prior library"),
        ({"prior": "library"}, "prior: library needs the posterior of one"),
    ],
)
def test_parts_of_it_alone_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        built(None, **options)
