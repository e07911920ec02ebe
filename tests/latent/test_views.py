"""Codes on a plane."""

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from jaxvae.errors import InputError
from jaxvae.latent import pca, tsne

GENERATOR = np.random.default_rng(0)


def test_pca_finds_the_plane_that_the_codes_lie_in():
    plane = np.linalg.qr(GENERATOR.normal(size=(6, 2)))[0].T
    points = GENERATOR.normal(size=(100, 2)) * [9.0, 3.0]
    view = pca(points @ plane + 5)
    distances = np.linalg.norm(view.points[:, None] - view.points, axis=-1)
    np.testing.assert_allclose(distances, np.linalg.norm(points[:, None] - points, axis=-1), atol=1e-4)


def test_pca_says_how_much_of_the_variance_it_shows():
    codes = GENERATOR.normal(size=(200, 4)) * [5.0, 3.0, 1.0, 0.1]
    shares = np.sort(np.linalg.eigvalsh(np.cov(codes.T)))[::-1] / np.trace(np.cov(codes.T))
    assert pca(codes).axes[0] == f"first component ({100 * shares[0]:.0f} % of variance)"
    assert pca(codes).axes[1] == f"second component ({100 * shares[1]:.0f} % of variance)"


def test_tsne_keeps_groups_together_and_repeats_itself():
    groups = np.repeat(np.eye(3, 5) * 50, 8, axis=0)
    codes = groups + GENERATOR.normal(size=groups.shape)
    with threadpool_limits(1):  # several threads wait for each other where tests share the cores
        points = tsne(codes, seed=1).points
        np.testing.assert_array_equal(points, tsne(codes, seed=1).points)
    nearest = np.linalg.norm(points[:, None] - points, axis=-1).argsort(axis=1)[:, 1:8]
    assert (nearest // 8 == np.arange(24)[:, None] // 8).all()


@pytest.mark.parametrize("view", [pca, tsne])
@pytest.mark.parametrize("shape", [(1, 5), (9, 1), (4,)])
def test_what_is_no_plane_is_bad_input(view, shape):
    with pytest.raises(InputError, match="codes: a view needs"):
        view(np.zeros(shape))
