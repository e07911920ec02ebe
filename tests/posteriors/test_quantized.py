"""Codebooks: a step of the moving averages is one of k-means, and unused codes are replaced."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats
from sklearn.cluster import KMeans

from jaxvae import rng
from jaxvae.data.spaces import Real
from jaxvae.errors import InputError
from jaxvae.facts import Facts
from jaxvae.posteriors import GradientQuantized, VectorQuantized
from jaxvae.posteriors.quantized import SPREAD, mean_per_code

K, D = 5, 2


def piece(options=VectorQuantized, **given):
    return options(num_codes=K, code_dim=D, **given).build(Facts(Real((4,)), latent_dim=3 * D))


@pytest.fixture
def outputs():
    """Forty examples of three vectors each, around five places."""
    places = jnp.array([[0.0, 0.0], [3.0, 0.0], [0.0, 3.0], [3.0, 3.0], [6.0, 6.0]])
    chosen, noise = jax.random.split(jax.random.key(0))
    vectors = places[jax.random.randint(chosen, (40, 3), 0, 5)] + 0.3 * jax.random.normal(noise, (40, 3, D))
    return vectors.reshape(40, 3 * D)


def start(quantizer, outputs):
    return {"posterior": quantizer.init(jax.random.key(1), outputs)}


def step(quantizer, params, outputs, weights=None):
    return quantizer.targets(params, quantizer(params, outputs), weights, rng.root(0))


def test_without_memory_steps_are_those_of_k_means(outputs):
    quantizer = piece(decay=0.0, revive_below=0.0)
    params = start(quantizer, outputs)
    theirs = KMeans(K, init=np.asarray(quantizer.codebook(params)), n_init=1, tol=0.0).fit(outputs.reshape(-1, D))
    for _ in range(theirs.n_iter_):
        params = {"posterior": step(quantizer, params, outputs)}
    np.testing.assert_allclose(quantizer.codebook(params), theirs.cluster_centers_, rtol=1e-3, atol=1e-4)
    shares = np.bincount(theirs.labels_, minlength=K) / len(theirs.labels_)
    np.testing.assert_allclose(params["posterior"]["counts"], 3 * shares, rtol=1e-5)
    perplexity = np.exp(scipy.stats.entropy(shares))
    np.testing.assert_allclose(quantizer(params, outputs).perplexity, np.full(40, perplexity), rtol=1e-5)


def test_one_code_is_the_weighted_mean_of_all_outputs(outputs):
    quantizer = VectorQuantized(1, D, decay=0.5).build(Facts(Real((4,)), latent_dim=3 * D))
    params, weights = start(quantizer, outputs), jnp.arange(40.0) % 3
    first, (old,) = outputs.reshape(40, 3, D).mean(1), quantizer.codebook(params)
    after = {"posterior": step(quantizer, params, outputs, weights)}
    expected = 0.5 * old + 0.5 * np.average(first, axis=0, weights=weights)
    np.testing.assert_allclose(quantizer.codebook(after)[0], expected, rtol=1e-4)


def test_codes_begin_as_different_outputs_used_alike(outputs):
    quantizer = piece()
    params = start(quantizer, outputs)
    rows = {tuple(row) for row in np.asarray(outputs).reshape(-1, D).round(3)}
    codes = {tuple(row) for row in np.asarray(quantizer.codebook(params)).round(3)}
    assert len(codes) == K
    assert codes <= rows
    np.testing.assert_allclose(params["posterior"]["counts"], np.full(K, 3 / K), rtol=1e-6)


def test_unused_codes_become_halves_of_the_most_used(outputs):
    quantizer = piece(decay=1.0, revive_below=0.1)
    counts = jnp.array([1.0, 0.001, 5.0, 2.0, 0.0])
    codes = jax.random.normal(jax.random.key(5), (K, D))
    params = {"posterior": {"counts": counts, "sums": counts[:, None] * codes}}
    after = step(quantizer, params, outputs)
    np.testing.assert_allclose(after["counts"], [1.0, 1.0, 2.5, 1.0, 2.5], rtol=1e-6)
    np.testing.assert_allclose(after["counts"].sum(), counts.sum(), rtol=1e-3)
    new = np.asarray(quantizer.codebook({"posterior": after}))
    np.testing.assert_allclose(new[[0, 2, 3]], codes[jnp.array([0, 2, 3])], rtol=1e-3)
    spread = 6 * SPREAD * codes.std() * 2
    for copy, original in {4: 2, 1: 3}.items():
        assert 0 < np.abs(new[copy] - new[original]).max() < spread


def test_no_code_is_replaced_while_all_are_used(outputs):
    params = start(piece(), outputs)
    kept, replaced = (step(piece(revive_below=below), params, outputs) for below in (0.0, 0.1))
    jax.tree.map(np.testing.assert_array_equal, kept, replaced)


def test_means_per_code_are_those_of_a_loop():
    values = jax.random.normal(jax.random.key(0), (6, 4, D))
    indices = jax.random.randint(jax.random.key(1), (6, 4), 0, K)
    weights = jnp.array([1.0, 0.0, 2.0, 0.5, 1.0, 1.0])
    expected = np.zeros((K, D))
    for b in range(6):
        for p in range(4):
            expected[indices[b, p]] += weights[b] * values[b, p] / weights.sum()
    np.testing.assert_allclose(mean_per_code(values, indices, weights, K), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(mean_per_code(values, indices, 0 * weights, K), np.zeros((K, D)))


@pytest.mark.parametrize("options", [VectorQuantized, GradientQuantized])
def test_labels_cover_the_parameters(options, outputs):
    quantizer = piece(options)
    params = start(quantizer, outputs)
    own = params["posterior"]
    labels = jax.tree.broadcast(quantizer.labels(own), own)
    averages = {name for name, label in labels.items() if label == "average"}
    assert set(step(quantizer, params, outputs)) == averages


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"code_dim": 4}, "code_dim: 4 does not divide the 6 latent dimensions"),
        ({"num_codes": 0}, "num_codes"),
        ({"decay": 1.5}, "decay: must be from 0 to 1"),
        ({"revive_below": 0.6}, "revive_below: must be from 0 to 0.5"),
    ],
)
def test_wrong_options_are_refused(given, words):
    with pytest.raises(InputError, match=words):
        VectorQuantized(**given).build(Facts(Real((4,)), latent_dim=6))
