"""ELBO of windows with missing points: against the ELBO, and against a linear-Gaussian model in closed form."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae import presets, rng
from jaxvae.distributions import MultivariateNormal, Normal, Observed
from jaxvae.errors import InputError
from jaxvae.evaluation import fill_gaps
from jaxvae.model import Functions
from jaxvae.objectives import elbo_loss, m_elbo_loss

DRAW = np.random.default_rng(0)
X = DRAW.normal(size=(4, 6)).astype(np.float32)
OBSERVED = DRAW.random((4, 6)) < 0.6
ROWS = {"x": jnp.asarray(np.where(OBSERVED, X, 0)), "observed": jnp.asarray(OBSERVED)}
W, NOISE = DRAW.normal(size=(2, 6)), 0.5
KEYS = rng.example_keys(jax.random.key(1), jnp.arange(4))
MEAN, VAR = np.array([0.3, -0.2]), np.array([0.5, 0.8])
MODEL = Functions(
    encode=lambda params, x: Normal(jnp.tile(MEAN, (4, 1)), jnp.tile(jnp.log(VAR), (4, 1))),
    decode=lambda params, z: Observed(Normal(z @ W, jnp.full((len(z), 6), 2 * np.log(NOISE)))),
    prior=lambda params: Normal(jnp.zeros(2), jnp.zeros(2)),
)


def test_with_nothing_missing_it_is_the_elbo():
    model = presets.build("vae", (6,), latent_dim=2, hidden=(8,), likelihood="normal_shared")
    params = jax.jit(model.init)(jax.random.key(0), X)

    def value(loss, **options):
        given = {"model": model, "num_samples": 2, **options}
        return jax.jit(jax.value_and_grad(lambda params: loss(params, KEYS, X, **given)[0]))(params)

    (found, gradients), (wanted, others) = value(m_elbo_loss, missing_share=0.0), value(elbo_loss)
    np.testing.assert_allclose(found, wanted, rtol=1e-6)
    jax.tree.map(lambda one, other: np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6), gradients, others)


def test_the_terms_are_those_of_a_linear_gaussian_model():
    """Each expectation under q = N(m, v) in closed form; the weight of log p(z) is the share that is observed."""
    loss, terms = m_elbo_loss({}, KEYS, ROWS, model=MODEL, missing_share=0.0, num_samples=40_000)
    squares = np.square(X - MEAN @ W) + VAR @ np.square(W)
    likelihood = (OBSERVED * (-0.5 * np.log(2 * np.pi * NOISE**2) - 0.5 * squares / NOISE**2)).sum(1)
    prior = -0.5 * (np.log(2 * np.pi) + MEAN**2 + VAR).sum()
    entropy = 0.5 * np.log(2 * np.pi * np.e * VAR).sum()
    share = OBSERVED.mean(1)
    np.testing.assert_allclose(terms.share, share, rtol=1e-6)
    np.testing.assert_allclose(terms.log_likelihood, likelihood, rtol=0.02)
    assert float(loss) == pytest.approx(-(likelihood + share * prior + entropy).mean(), rel=0.01)


def test_points_are_removed_at_random_and_the_rest_is_scored():
    """Whole time steps of all channels, as many as asked for; what is removed is neither seen nor scored."""
    x = jnp.ones((2000, 5, 2))
    seen = []

    def encode(params, x):
        seen.append(x)
        return Normal(jnp.zeros((len(x), 1)), jnp.zeros((len(x), 1)))

    def decode(params, z):
        return Normal(jnp.zeros((len(z), 5, 2)), jnp.zeros((len(z), 5, 2)), event_ndim=2)

    model = Functions(encode, decode, lambda params: Normal(jnp.zeros(1), jnp.zeros(1)))
    _, terms = m_elbo_loss({}, jax.random.key(0), x, model=model, missing_share=0.3)
    assert (seen[0][..., 0] == seen[0][..., 1]).all()
    np.testing.assert_allclose(seen[0].mean((1, 2)), terms.share, rtol=1e-6)
    assert abs(float(terms.share.mean()) - 0.7) < 0.02
    each = -0.5 * np.log(2 * np.pi) - 0.5
    np.testing.assert_allclose(terms.log_likelihood, 10 * terms.share * each, rtol=1e-5, atol=1e-5)


def test_no_example_depends_on_others_or_on_what_stands_in_a_gap():
    def loss(rows, **options):
        return m_elbo_loss({}, KEYS, rows, model=MODEL, missing_share=0.2, **options)

    _, terms = loss(ROWS)
    other = {**ROWS, "x": jnp.where(OBSERVED, X, 9.0)}
    jax.tree.map(np.testing.assert_array_equal, terms, loss(other)[1])
    padded = {"x": ROWS["x"].at[3].set(1), "observed": ROWS["observed"].at[3].set(True)}
    found, _ = loss(padded, weights=jnp.array([1.0, 1, 1, 0]))
    bound = terms.log_likelihood - terms.share * terms.kl - (1 - terms.share) * terms.log_posterior
    np.testing.assert_allclose(found, -bound[:3].mean(), rtol=1e-5)


def test_a_likelihood_that_is_no_product_over_points_is_refused():
    def decode(params, z):
        return MultivariateNormal(jnp.zeros((len(z), 6)), jnp.tile(jnp.eye(6), (len(z), 1, 1)))

    with pytest.raises(TypeError, match="MultivariateNormal does not score values separately"):
        m_elbo_loss({}, KEYS, X, model=MODEL._replace(decode=decode))
    with pytest.raises((ValueError, InputError), match="missing_share"):
        m_elbo_loss({}, KEYS, X, model=MODEL, missing_share=1.5)


def test_gaps_are_filled_from_the_conditional_distribution():
    """With the true posterior the chain is Gibbs sampling: means and covariances are those of the Gaussian."""
    num, observed = 4000, OBSERVED[0]
    precision = np.eye(2) + W @ W.T / NOISE**2
    root = np.linalg.cholesky(np.linalg.inv(precision))

    def encode(params, x):
        mean = x["x"] @ W.T / NOISE**2 @ np.linalg.inv(precision)
        return MultivariateNormal(mean, jnp.broadcast_to(root, (num, 2, 2)))

    rows = {name: jnp.tile(values[0], (num, 1)) for name, values in ROWS.items()}
    keys = rng.example_keys(jax.random.key(3), jnp.arange(num))
    filled = np.asarray(fill_gaps({}, keys, rows, model=MODEL._replace(encode=encode), steps=30)["x"])
    np.testing.assert_array_equal(filled[:, observed], np.tile(X[0][observed], (num, 1)))
    whole = W.T @ W + NOISE**2 * np.eye(6)
    gain = whole[~observed][:, observed] @ np.linalg.inv(whole[observed][:, observed])
    wanted = whole[~observed][:, ~observed] - gain @ whole[observed][:, ~observed]
    gaps = filled[:, ~observed]
    np.testing.assert_allclose(gaps.mean(0), gain @ X[0][observed], atol=6 * np.sqrt(wanted.max() / num))
    np.testing.assert_allclose(np.cov(gaps.T), wanted, atol=0.1 * np.abs(wanted).max())
