"""The ELBO of a split: its value does not depend on the batches it is computed in."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae import Functions, elbo_terms, presets, rng
from jaxvae.data.batches import sequential_batches
from jaxvae.distributions import Normal
from jaxvae.evaluation import evaluate_elbo, log_marginal_likelihood
from jaxvae.types import Batch

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


NORMAL_PRIOR = {"prior": lambda params, *given: Normal(jnp.zeros(2), jnp.zeros(2))}


class Plain(Normal):
    """Normal without a closed form of the KL."""


@pytest.mark.parametrize(("family", "separates"), [(Normal, True), (Plain, False)])
def test_a_kl_that_is_no_sum_over_dimensions_is_reported_as_a_whole(family, separates):
    batch = Batch(jnp.ones((4, 2)), jnp.arange(4), jnp.ones(4))
    model = Functions(lambda _, x: family(x, 0 * x - 1), lambda _, z: Normal(z, 0 * z), **NORMAL_PRIOR)
    estimate = evaluate_elbo(None, rng.root(0), [batch], model=model, num_samples=50)
    assert (estimate.kl_per_dimension is not None) == separates
    assert estimate.kl == pytest.approx(1.36, abs=0.3)


def test_examples_may_be_trees_conditions_are_used_and_a_model_need_not_hash():
    class Unhashable:
        __hash__ = None

        def encode(self, params, x, condition):
            return Normal(x["a"] + condition, jnp.zeros_like(condition))

        def decode(self, params, z, condition):
            return Both(z - condition)

        def prior(self, params, condition):
            return Normal(condition, jnp.zeros_like(condition))

    class Both(Normal):
        """Both arrays of an example, given one code."""

        def __init__(self, z):
            object.__setattr__(self, "mean", z)

        def log_prob(self, x):
            return sum(Normal(self.mean, jnp.zeros_like(self.mean)).log_prob(leaf) for leaf in x.values())

    x, condition = {"a": jnp.ones((3, 2)), "b": jnp.zeros((3, 2))}, jnp.full((3, 2), 5.0)
    batch = Batch(x, jnp.arange(3), jnp.array([1.0, 1.0, 0.0]), condition)
    estimate = evaluate_elbo(None, rng.root(0), [batch], model=Unhashable(), num_samples=2000)
    # z - condition ~ N(1, 1), so that the means of the squared distances are 1 and 2 for each of two dimensions.
    assert estimate.log_likelihood == pytest.approx(-0.5 * 2 * (1 + 2) - 2 * np.log(2 * np.pi), abs=0.3)
    assert estimate.kl == pytest.approx(1.0, rel=1e-5)
    assert estimate.num_examples == 2
    whole = log_marginal_likelihood(None, rng.root(0), x, model=Unhashable(), condition=condition, num_samples=50)
    assert (whole.log_px > estimate.elbo).all()


def test_more_samples_estimate_the_same_bound(params):
    one, many = estimate(params, 11), estimate(params, 11, num_samples=500)
    assert one.kl == pytest.approx(many.kl, rel=1e-5)
    assert abs(one.elbo - many.elbo) < 1.0
    assert one.elbo != many.elbo
