"""log p(x) by thousands of samples, where it is known: a linear-Gaussian model, two layers of it, a discrete toy."""

import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from scipy.stats import multivariate_normal

from jaxvae import Functions, rng
from jaxvae.distributions import Bernoulli, Categorical, Chain, Normal
from jaxvae.errors import InputError
from jaxvae.evaluation import log_marginal_likelihood
from jaxvae.nets import Bound
from jaxvae.nets.links import Link

W = np.array([[1.0, 0.5], [-0.7, 1.2], [0.3, -0.4]])
B = np.array([0.5, -1.0, 0.2])
X = np.random.default_rng(0).normal(size=(7, 3)).astype(np.float32)
LINEAR = Functions(
    encode=lambda params, x: Normal(0.4 * (x - B) @ W, jnp.full((len(x), 2), -0.5)),
    decode=lambda params, z: Normal(z @ W.T + params, jnp.full(3, -1.0)),
    prior=lambda params: Normal(jnp.zeros(2), jnp.zeros(2)),
)
LOG_PX = multivariate_normal(B, W @ W.T + np.exp(-1.0) * np.eye(3)).logpdf(X)


def estimate(model, params, x, **options):
    return log_marginal_likelihood(params, rng.root(0), x, model=model, **options)


def test_five_thousand_samples_say_log_p_of_x_of_a_linear_gaussian_model():
    result = estimate(LINEAR, B, X)
    np.testing.assert_allclose(result.log_px, LOG_PX, atol=0.05)
    assert result.log_px.dtype == np.float64
    assert result.mean == pytest.approx(result.log_px.mean())
    assert result.standard_error == pytest.approx(LOG_PX.std(ddof=1) / 7**0.5, abs=0.05)


def test_neither_blocks_nor_chunks_change_the_estimate():
    whole = estimate(LINEAR, B, X, num_samples=30, block_size=7, samples_at_once=30)
    parts = estimate(LINEAR, B, X, num_samples=30, block_size=3, samples_at_once=4)
    np.testing.assert_allclose(parts.log_px, whole.log_px, atol=1e-5)
    assert abs(estimate(LINEAR, B, X, num_samples=29).log_px - whole.log_px).max() > 1e-4


def shift(condition):
    """Offset of x, the same for the model and for the truth."""
    return condition @ jnp.array([[2.0, -1.0, 0.5], [-1.0, 0.0, 3.0]])


CONDITIONAL = LINEAR._replace(
    encode=lambda params, x, condition: LINEAR.encode(params, x - shift(condition)),
    decode=lambda params, z, condition: Normal(z @ W.T + params + shift(condition), jnp.full(3, -1.0)),
    prior=lambda params, condition: LINEAR.prior(params),
)


def test_under_a_condition_it_is_log_p_of_x_given_each_examples_own():
    condition = np.eye(2, dtype=np.float32)[np.arange(7) % 2]
    given = {"condition": condition, "num_samples": 2000}
    result = estimate(CONDITIONAL, B, X + shift(condition), block_size=3, **given)
    np.testing.assert_allclose(result.log_px, LOG_PX, atol=0.08)
    with pytest.raises(InputError, match=r"^condition: 7 rows for 5 examples; give one for each"):
        estimate(CONDITIONAL, B, X[:5], **given)


def test_two_stochastic_layers_of_a_linear_model():
    """That x = W z1 + B + noise with z1 = A z2 + noise is a normal again."""
    a, noise = np.array([[0.8, -0.3]]), np.exp(-0.6)
    down = {"kernel": jnp.float32(np.hstack([a, np.zeros((1, 2))])), "bias": jnp.array([0.0, 0.0, -0.6, -0.6])}
    up = {"kernel": jnp.array([[0.4, 0.0], [-0.2, 0.0]]), "bias": jnp.array([0.0, -0.3])}
    downwards, upwards = Link(Bound(down, nn.Dense(4))), Link(Bound(up, nn.Dense(2)))
    model = Functions(
        encode=lambda params, x: Chain(Normal(0.4 * (x - B) @ W, jnp.full((len(x), 2), -0.5)), (upwards,)),
        decode=lambda params, z: Normal(z[0] @ W.T + B, jnp.full(3, -1.0)),
        prior=lambda params: Chain(Normal(jnp.zeros(1), jnp.zeros(1)), (downwards,), backwards=True),
    )
    covariance = W @ (a.T @ a + noise * np.eye(2)) @ W.T + np.exp(-1.0) * np.eye(3)
    expected = multivariate_normal(B, covariance).logpdf(X)
    np.testing.assert_allclose(estimate(model, None, X, num_samples=20_000).log_px, expected, atol=0.05)


def test_a_discrete_latent_whose_values_can_be_counted():
    logits, pixels = jnp.array([0.3, -1.0, 0.8, 0.0]), jnp.float32(np.random.default_rng(1).normal(size=(4, 6)))
    x = np.float32(np.random.default_rng(2).random((5, 6)) < 0.5)
    model = Functions(
        encode=lambda params, x: Categorical(jnp.tile(jnp.array([[0.5, 0.0, 0.2, -0.4]]), (len(x), 1)), event_ndim=0),
        decode=lambda params, z: Bernoulli(pixels[z]),
        prior=lambda params: Categorical(logits, event_ndim=0),
    )
    prior = np.exp(logits) / np.exp(logits).sum()
    likelihood = np.stack(
        [
            np.prod(np.where(x, 1, 0) * p + np.where(x, 0, 1) * (1 - p), axis=1)
            for p in 1 / (1 + np.exp(-np.float64(pixels)))
        ]
    )
    expected = np.log(prior @ likelihood)
    np.testing.assert_allclose(estimate(model, None, x, num_samples=20_000).log_px, expected, atol=0.05)
