"""Likelihoods of counts: links, shapes, one dispersion for each column, and constants against SciPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special, stats

from jaxvae.assemble import assemble
from jaxvae.data.spaces import Counts, Pixels
from jaxvae.errors import InputError
from jaxvae.facts import Facts
from jaxvae.likelihoods import LIKELIHOODS, MultinomialCounts, NegativeBinomialCounts, PoissonCounts
from jaxvae.nets import CountMLP
from jaxvae.posteriors import DiagonalNormal
from jaxvae.priors import Standard
from jaxvae.types import FROZEN, GRADIENT

FACTS = Facts(Counts((3,)), 2)
X = np.array([[0, 3, 12], [1, 0, 400]])


@pytest.mark.parametrize("name", ["poisson", "negative_binomial"])
def test_link_inverts_the_mean_and_is_finite_at_zero(name):
    link, piece = LIKELIHOODS[name]().link, LIKELIHOODS[name]().build(FACTS)
    mean = jnp.array([[0.01, 1.0, 250.0]])
    outputs = link(mean)
    d = piece(outputs) if name == "poisson" else piece({"likelihood": piece.init(None, outputs)}, outputs)
    np.testing.assert_allclose(d.mean, mean, rtol=1e-5)
    assert np.isfinite(link(jnp.zeros(3))).all()


def test_poisson_matches_scipy():
    outputs = jnp.asarray(np.random.default_rng(0).normal(size=(2, 3)))
    expected = stats.poisson.logpmf(X, np.exp(np.float64(outputs))).sum(1)
    np.testing.assert_allclose(LIKELIHOODS["poisson"]().build(FACTS)(outputs).log_prob(X), expected, rtol=1e-5)


def test_negative_binomial_has_one_dispersion_for_each_column():
    outputs = jnp.asarray(np.random.default_rng(0).normal(size=(2, 3)))
    own = {"log_inverse_dispersion": jnp.array([0.5, -0.3, 1.0])}
    total = np.exp(np.float64(own["log_inverse_dispersion"]))
    expected = stats.nbinom.logpmf(X, total, total / (total + np.exp(np.float64(outputs)))).sum(1)
    piece = NegativeBinomialCounts().build(FACTS)
    np.testing.assert_allclose(piece({"likelihood": own}, outputs).log_prob(X), expected, rtol=1e-5)
    assert jax.tree.map(jnp.shape, piece.init(jax.random.key(0), outputs)) == {"log_inverse_dispersion": (3,)}


def test_additional_zeros_need_one_more_output_for_each_count():
    options = NegativeBinomialCounts(zero_inflated=True)
    assert (options.decoder_shape(FACTS), NegativeBinomialCounts().decoder_shape(FACTS)) == ((6,), (3,))
    piece = options.build(FACTS)
    outputs = jnp.concatenate([jnp.ones((2, 3)), jnp.full((2, 3), -30.0)], axis=1)
    params = {"likelihood": piece.init(jax.random.key(0), outputs)}
    plain = NegativeBinomialCounts().build(FACTS)(params, outputs[:, :3])
    np.testing.assert_allclose(piece(params, outputs).log_prob(X), plain.log_prob(X), rtol=1e-6)
    certain = piece(params, outputs.at[:, 3:].set(30.0))
    np.testing.assert_allclose(certain.mean, 0, atol=1e-9)
    np.testing.assert_allclose(certain.log_prob(jnp.zeros((2, 3))), 0, atol=1e-6)


OF_TOTAL = [PoissonCounts(library=True), NegativeBinomialCounts(library=True), MultinomialCounts()]


def model_of(likelihood):
    options = {"posterior": DiagonalNormal(), "prior": Standard(), "likelihood": likelihood}
    return assemble(FACTS, networks=CountMLP((4,)), **options)


def test_means_are_the_softmax_times_the_total_of_the_example():
    outputs = jnp.asarray(np.random.default_rng(0).normal(size=(2, 3)))
    shares = special.softmax(np.float64(outputs), 1)
    piece = PoissonCounts(library=True).build(FACTS)
    params = {"likelihood": piece.init(None, outputs, jnp.asarray(X))}
    expected = stats.poisson.logpmf(X, shares * X.sum(1, keepdims=True)).sum(1)
    np.testing.assert_allclose(piece(params, outputs).log_prob(X), expected, rtol=1e-5)
    np.testing.assert_allclose(piece(params, outputs + 7.0).log_prob(X), expected, rtol=1e-5)


def test_additional_zeros_take_from_the_mean_of_the_total():
    outputs = jnp.asarray(np.random.default_rng(0).normal(size=(2, 6)))
    piece = NegativeBinomialCounts(library=True, zero_inflated=True).build(FACTS)
    params = {"likelihood": piece.init(None, outputs, jnp.asarray(X))}
    mean, zero = special.softmax(outputs[:, :3], 1) * X.sum(1, keepdims=True), special.expit(outputs[:, 3:])
    expected = np.log(zero * (X == 0) + (1 - zero) * stats.nbinom.pmf(X, 1, 1 / (1 + mean))).sum(1)
    np.testing.assert_allclose(piece(params, outputs).log_prob(X), expected, rtol=1e-4)


@pytest.mark.parametrize("likelihood", OF_TOTAL, ids=repr)
def test_samples_have_the_median_total_and_reconstructions_that_of_their_example(likelihood):
    model, x = model_of(likelihood), jnp.asarray([[1, 2, 3], [4, 0, 0], [40, 10, 3]])
    params = jax.jit(model.init)(jax.random.key(0), x)
    assert model.labels(params)["likelihood"]["log_total"] == FROZEN
    assert {*jax.tree.leaves(model.labels(params)["decoder"])} == {GRADIENT}
    np.testing.assert_allclose(model.sample(params, jax.random.key(1), 5).sum(1), 6, rtol=1e-5)
    np.testing.assert_allclose(model.reconstruct(params, x).sum(1), [6, 4, 53], rtol=1e-5)


def test_only_vectors_of_counts_have_a_total():
    with pytest.raises(InputError, match="only vectors of counts have a total, got grey"):
        MultinomialCounts().build(Facts(Pixels((2, 2, 1)), 2))
