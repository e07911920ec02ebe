"""Nearest neighbours against scikit-learn's."""

import jax
import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from jaxvae.errors import InputError
from jaxvae.latent import nearest

GENERATOR = np.random.default_rng(0)
CODES = GENERATOR.normal(size=(50, 3)).astype(np.float32)
QUERIES = GENERATOR.normal(size=(7, 3)).astype(np.float32)


def test_they_are_those_that_scikit_learn_finds():
    distances, indices = NearestNeighbors(n_neighbors=4, algorithm="brute").fit(CODES).kneighbors(QUERIES)
    found = nearest(QUERIES, CODES, 4)
    np.testing.assert_array_equal(found.indices, indices)
    np.testing.assert_allclose(found.distances, distances, rtol=1e-5)


def test_a_code_is_its_own_nearest_neighbour_at_distance_zero():
    found = nearest(CODES, CODES, 1)
    np.testing.assert_array_equal(found.indices[:, 0], np.arange(50))
    np.testing.assert_array_equal(found.distances, 0)


def test_of_equally_near_ones_the_first_comes_first():
    codes = np.concatenate([CODES[:5]] * 3)
    np.testing.assert_array_equal(nearest(codes[:1], codes, 3).indices, [[0, 5, 10]])
    circle = np.array([[2, 0], [0, -2], [1, 0], [-2, 0]], np.float32)
    np.testing.assert_array_equal(nearest(np.zeros((1, 2), np.float32), circle, 4).indices, [[2, 0, 1, 3]])


def test_examples_may_be_of_any_shape():
    images = CODES[:48].reshape(12, 2, 3, 2)
    found = nearest(images[:2], images, 3)
    np.testing.assert_array_equal(found.indices, nearest(images[:2].reshape(2, 12), images.reshape(12, 12), 3).indices)


def test_memory_does_not_grow_with_queries_times_codes():
    shapes = [jax.ShapeDtypeStruct((num, 64), np.float32) for num in (500, 4000)]
    compiled = jax.jit(nearest, static_argnums=2).lower(*shapes, 5).compile()
    assert compiled.memory_analysis().temp_size_in_bytes < 4000 * 64 * 4


@pytest.mark.parametrize("k", [0, 51])
def test_k_is_from_1_to_the_number_of_codes(k):
    with pytest.raises(InputError, match=f"k: must be from 1 to 50.*got {k}"):
        nearest(QUERIES, CODES, k)


def test_other_dimensions_are_bad_input():
    with pytest.raises(InputError, match=r"queries: .* \(3,\) each, got \(2,\)"):
        nearest(QUERIES[:, :2], CODES, 1)
