"""Codes: the nearest by brute force, a straight-through gradient, and a prior that sums to 1."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae import rng
from jaxvae.distributions import Quantized, UniformOverCodes, kl_divergence
from jaxvae.distributions.codes import Codes, nearest_codes
from jaxvae.distributions.sampling import for_decoder, point

K, D, G = 7, 3, 4


@pytest.fixture
def codebook():
    return jax.random.normal(jax.random.key(0), (K, D))


@pytest.fixture
def outputs():
    return jax.random.normal(jax.random.key(1), (5, 2, G * D))


def quantized(outputs, codebook):
    return Quantized(outputs, nearest_codes(outputs, codebook), jnp.ones(len(outputs)))


def test_codes_are_the_nearest(outputs, codebook):
    codes = nearest_codes(outputs, codebook)
    vectors = np.asarray(outputs).reshape(5, 2, G, D)
    distances = np.square(vectors[..., None, :] - np.asarray(codebook)).sum(-1)
    np.testing.assert_array_equal(codes.indices, distances.argmin(-1))
    np.testing.assert_array_equal(codes.vectors, np.asarray(codebook)[distances.argmin(-1)].reshape(outputs.shape))


def test_the_value_is_the_code_and_its_gradient_is_the_outputs(outputs, codebook):
    target = jax.random.normal(jax.random.key(2), outputs.shape)

    def loss(outputs, codebook):
        z = for_decoder(quantized(outputs, codebook).sample(jax.random.key(3)))
        return jnp.square(z - target).sum()

    at_outputs, at_codebook = jax.grad(loss, (0, 1))(outputs, codebook)
    codes = quantized(outputs, codebook).codes
    np.testing.assert_array_equal(for_decoder(point(quantized(outputs, codebook))), codes.vectors)
    np.testing.assert_allclose(at_outputs, 2 * (codes.vectors - target), rtol=1e-6)
    np.testing.assert_array_equal(at_codebook, np.zeros((K, D)))


def test_distances_draw_outputs_and_codes_to_each_other(outputs, codebook):
    """The gradient in a code is 2 n (code - mean of its n outputs), and that in an output 2 (output - code)."""
    q = quantized(outputs, codebook)
    both = jax.grad(lambda *at: quantized(*at).codebook_distance.sum(), (0, 1))(outputs, codebook)
    vectors, indices = np.asarray(outputs).reshape(-1, D), np.asarray(q.codes.indices).reshape(-1)
    expected = np.stack([2 * (np.asarray(codebook)[k] - vectors[indices == k]).sum(0) for k in range(K)])
    np.testing.assert_allclose(both[1], expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(both[0], np.zeros(outputs.shape))
    both = jax.grad(lambda *at: quantized(*at).commitment.sum(), (0, 1))(outputs, codebook)
    np.testing.assert_allclose(both[0], 2 * (outputs - q.codes.vectors), rtol=1e-6)
    np.testing.assert_array_equal(both[1], np.zeros((K, D)))
    np.testing.assert_allclose(q.commitment, np.square(outputs - q.codes.vectors).sum((1, 2)), rtol=1e-6)


def test_the_posterior_has_probability_1_at_its_codes(outputs, codebook):
    q = quantized(outputs, codebook)
    np.testing.assert_array_equal(q.log_prob(q.mean), np.zeros(5))
    other = Codes(q.codes.indices.at[2, 1, 0].add(1), q.codes.vectors)
    np.testing.assert_array_equal(q.log_prob(other), [0, 0, -np.inf, 0, 0])


def test_the_kl_to_the_uniform_prior_is_the_codes_of_fixed_length(outputs, codebook):
    q, p = quantized(outputs, codebook), UniformOverCodes(codebook, (2, G))
    np.testing.assert_allclose(kl_divergence(q, p, q.mean), np.full(5, 2 * G * math.log(K)), rtol=1e-6)
    with pytest.raises(ValueError, match="no event of a distribution of codes at positions"):
        UniformOverCodes(codebook, (3, G)).log_prob(q.mean)


def test_prior_samples_are_uniform(codebook):
    p = UniformOverCodes(codebook, (2, G))
    z = jax.vmap(p.sample)(rng.sample_keys(jax.random.key(0), 2000))
    assert z.vectors.shape == (2000, 2, G * D)
    np.testing.assert_array_equal(z.vectors, np.asarray(codebook)[z.indices].reshape(z.vectors.shape))
    share = np.bincount(np.asarray(z.indices).reshape(-1), minlength=K) / z.indices.size
    error = math.sqrt((1 / K) * (1 - 1 / K) / z.indices.size)
    np.testing.assert_allclose(share, np.full(K, 1 / K), atol=6 * error)


def test_the_priors_point_is_the_code_in_the_middle():
    codebook = jnp.array([[-3.0], [0.5], [2.0]])
    np.testing.assert_array_equal(point(UniformOverCodes(codebook, (2, 1))).vectors, np.full((2, 1), 0.5))
