"""Imputation of a linear-Gaussian model against the conditional normal in closed form."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from jaxvae.distributions import Bernoulli, Columns, Normal
from jaxvae.errors import InputError
from jaxvae.evaluation import impute
from jaxvae.extras.missing import SelfMasking

RNG = np.random.default_rng(0)
D, LATENT = 4, 2
W, B, NOISE = RNG.normal(size=(LATENT, D)), RNG.normal(size=D), np.array([0.5, 0.7, 0.4, 0.6])
COVARIANCE = W.T @ W + np.diag(NOISE**2)
OBSERVED = np.array([[1, 1, 0, 0], [0, 1, 1, 1], [1, 1, 1, 1], [0, 0, 0, 0], [0, 0, 0, 1]], bool)
X = np.where(OBSERVED, RNG.multivariate_normal(B, COVARIANCE, len(OBSERVED)), 0.0)
ROWS = {"x": jnp.asarray(X, jnp.float32), "observed": jnp.asarray(OBSERVED)}


def decode(params, z):
    log_var = jnp.broadcast_to(2 * jnp.log(jnp.asarray(NOISE)), (*z.shape[:-1], D))
    return Columns((Normal(z @ jnp.asarray(W) + B, log_var, event_ndim=0),), ((0, 1, 2, 3),))


def encode(params, x):
    """Return a wrong posterior: wide, and off by a little."""
    return Normal(jnp.full((len(x["x"]), LATENT), 0.2), jnp.full((len(x["x"]), LATENT), 0.5))


MODEL = SimpleNamespace(
    encode=encode, decode=decode, prior=lambda params: Normal(jnp.zeros(LATENT), jnp.zeros(LATENT)), extras=()
)


def conditional(row):
    """Return mean and covariance of the missing values of a row, and log p of the observed ones."""
    o, m = np.flatnonzero(OBSERVED[row]), np.flatnonzero(~OBSERVED[row])
    gain = COVARIANCE[np.ix_(m, o)] @ np.linalg.inv(COVARIANCE[np.ix_(o, o)])
    mean = B[m] + gain @ (X[row, o] - B[o])
    covariance = COVARIANCE[np.ix_(m, m)] - gain @ COVARIANCE[np.ix_(o, m)]
    log_p = scipy.stats.multivariate_normal(B[o], COVARIANCE[np.ix_(o, o)]).logpdf(X[row, o]) if len(o) else 0.0
    return m, mean, covariance, log_p


@pytest.fixture(scope="module", params=[0.0, 0.5])
def found(request):
    options = {"num_samples": 4000, "num_draws": 1000, "samples_at_once": 500, "prior_share": request.param}
    return impute({}, jax.random.key(1), ROWS, model=MODEL, **options)


def test_means_and_draws_are_those_of_the_conditional_normal(found):
    for row in range(len(X)):
        m, mean, covariance, log_p = conditional(row)
        spread = np.sqrt(np.diag(covariance))
        few = np.sqrt(found.effective_samples[row])
        np.testing.assert_array_less(np.abs(found.mean[row, m] - mean), 6 * spread / few + 1e-6)
        assert abs(found.log_px[row] - log_p) < 6 / few
        drawn = found.draws[:, row][:, m]
        error = 6 * (1 / np.sqrt(1000) + 1 / few)
        np.testing.assert_array_less(np.abs(drawn.mean(0) - mean), error * spread + 1e-6)
        np.testing.assert_array_less(np.abs(np.cov(drawn.T) - covariance), 2 * error * np.outer(spread, spread) + 1e-6)


def test_what_was_observed_stays(found):
    np.testing.assert_array_equal(found.mean[OBSERVED], np.float32(X)[OBSERVED])
    np.testing.assert_array_equal(
        found.draws[:, OBSERVED], np.broadcast_to(np.float32(X)[OBSERVED], (1000, OBSERVED.sum()))
    )


def test_it_depends_neither_on_the_rows_beside_nor_on_the_blocks():
    options = {"num_samples": 40, "num_draws": 3}
    whole = impute({}, jax.random.key(1), ROWS, model=MODEL, samples_at_once=7, **options)
    first = impute({}, jax.random.key(1), jax.tree.map(lambda a: a[:2], ROWS), model=MODEL, block_size=1, **options)
    np.testing.assert_allclose(whole.mean[:2], first.mean, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(whole.draws[:, :2], first.draws, rtol=1e-5, atol=1e-6)


def test_a_model_of_what_is_missing_tilts_the_values():
    """One column, large values missing: p(x | missing) is proportional to p(x) sigmoid(w (x - b))."""
    one = SimpleNamespace(**vars(MODEL))
    one.decode = lambda params, z: Columns((Normal(z[..., :1], jnp.zeros((len(z), 1)), event_ndim=0),), ((0,),))
    one.extras = (("missing", SelfMasking(known_sign=False)),)
    params = {"missing": {"weight": jnp.array([3.0]), "offset": jnp.array([0.5])}}
    rows = {"x": jnp.zeros((1, 1)), "observed": jnp.zeros((1, 1), bool)}
    found = impute(params, jax.random.key(0), rows, model=one, num_samples=20_000, num_draws=10, prior_share=1.0)
    x = np.linspace(-9, 9, 4001)
    density = scipy.stats.norm(0, np.sqrt(2)).pdf(x)
    missing = 1 / (1 + np.exp(-3 * (x - 0.5)))
    share = np.trapezoid(density * missing, x)
    expected = np.trapezoid(x * density * missing, x) / share
    assert found.mean[0, 0] == pytest.approx(expected, abs=6 * 1.0 / np.sqrt(found.effective_samples[0]))
    assert found.log_px[0] == pytest.approx(np.log(share), abs=0.1)
    assert expected > 0.5  # without the model of what is missing it would be 0


def test_categories_are_drawn_with_their_chances():
    model = SimpleNamespace(**vars(MODEL))
    model.decode = lambda params, z: Columns((Bernoulli(jnp.full((len(z), 1), 1.2), event_ndim=0),), ((0,),))
    rows = {"x": jnp.zeros((1, 1)), "observed": jnp.zeros((1, 1), bool)}
    found = impute({}, jax.random.key(0), rows, model=model, num_samples=100, num_draws=3000)
    chance = 1 / (1 + np.exp(-1.2))
    assert set(np.unique(found.draws)) == {0, 1}
    assert abs(found.draws.mean() - chance) < 6 * np.sqrt(chance * (1 - chance) / 3000)


def test_numbers_out_of_range_are_refused():
    for options in ({"num_samples": 0}, {"num_draws": 0}, {"prior_share": 1.5}):
        with pytest.raises((InputError, ValueError), match=next(iter(options))):
            impute({}, jax.random.key(0), ROWS, model=MODEL, **options)
