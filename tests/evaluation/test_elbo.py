"""The ELBO of a split: its value does not depend on the batches it is computed in."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae import elbo_terms, presets, rng
from jaxvae.data.batches import sequential_batches
from jaxvae.evaluation import evaluate_elbo

MODEL = presets.build("vae", (3, 3, 1), latent_dim=2, hidden=(8,))
IMAGES = 255 * np.random.default_rng(5).integers(0, 2, (11, 3, 3, 1), np.uint8)


@pytest.fixture(scope="module")
def params():
    return MODEL.init(rng.root(0), jnp.zeros((1, 3, 3, 1)))


def estimate(params, batch_size, **options):
    batches = sequential_batches(IMAGES, rng.root(1), batch_size=batch_size)
    return evaluate_elbo(params, rng.root(2), batches, model=MODEL, **options)


def test_value_is_the_mean_of_the_terms(params):
    keys = rng.example_keys(rng.stream(rng.root(2), "evaluate"), jnp.arange(11))
    terms = elbo_terms(params, keys, IMAGES / 255, model=MODEL)
    result = estimate(params, 11)
    np.testing.assert_allclose(result.elbo, terms.elbo.mean(), rtol=1e-6)
    np.testing.assert_allclose(result.kl, terms.kl.mean(), rtol=1e-6)
    np.testing.assert_allclose(result.elbo_standard_error, np.std(terms.elbo, ddof=1) / np.sqrt(11), rtol=1e-5)
    np.testing.assert_allclose(result.kl_per_dimension, np.mean(terms.kl_per_dimension, axis=0), rtol=1e-5)
    assert result.elbo == pytest.approx(result.log_likelihood - result.kl)


def test_units_are_active_whose_posterior_mean_moves_with_the_example(params):
    """Scaled, an encoder's last layer scales the variance of its means: from far above 0.01 to far below."""
    means = np.asarray(MODEL.encode(params, jnp.asarray(IMAGES / 255, jnp.float32)).mean)
    scales = np.sqrt(np.array([1.0, 0.01]) / means.var(axis=0))
    columns = jnp.concatenate([jnp.asarray(scales), jnp.ones(2)])

    def active(scale):
        output = jax.tree.map(lambda leaf: scale * columns * leaf, params["encoder"]["output"])
        return estimate({**params, "encoder": {**params["encoder"], "output": output}}, 4).active_units

    assert [active(scale) for scale in (1.1, 0.9, 0.09)] == [2, 1, 0]


@pytest.mark.parametrize("batch_size", [1, 4, 10, 32])
def test_batch_size_does_not_matter(params, batch_size):
    result, whole = estimate(params, batch_size), estimate(params, 11)
    assert result.num_examples == 11
    jax.tree.map(functools.partial(np.testing.assert_allclose, rtol=1e-5), result, whole)


def test_more_samples_estimate_the_same_bound(params):
    one, many = estimate(params, 11), estimate(params, 11, num_samples=500)
    assert one.kl == pytest.approx(many.kl, rel=1e-5)
    assert abs(one.elbo - many.elbo) < 1.0
    assert one.elbo != many.elbo
