"""Points in latent space."""

import jax.numpy as jnp
import numpy as np
import scipy.stats

from jaxvae.latent import manifold_grid, prior_quantiles, traversal


def test_quantiles_cut_the_prior_into_equal_parts():
    np.testing.assert_allclose(scipy.stats.norm.cdf(prior_quantiles(8)), (np.arange(8) + 0.5) / 8, rtol=1e-5)


def test_manifold_is_read_like_a_picture():
    grid = manifold_grid(3).reshape(3, 3, 2)
    low, middle, high = prior_quantiles(3)
    np.testing.assert_allclose(grid[0], [(low, high), (middle, high), (high, high)], atol=1e-6)
    np.testing.assert_allclose(grid[:, 0, 1], [high, middle, low], atol=1e-6)


def test_traversal_moves_one_coordinate():
    z = jnp.array([1.0, 2.0, 3.0])
    codes = traversal(z, 1, jnp.array([-5.0, 5.0]))
    np.testing.assert_array_equal(codes, [[1, -5, 3], [1, 5, 3]])
