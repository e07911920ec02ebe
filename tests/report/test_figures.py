"""Pictures: images stand where they belong."""

import numpy as np
import pytest
from PIL import Image

from jaxvae.report import figures


def test_tile_lays_images_row_by_row():
    images = np.arange(5, dtype=np.float32).reshape(5, 1, 1, 1) / 10 * np.ones((5, 2, 3, 1), np.float32)
    picture = figures.tile(images, columns=3)
    assert picture.shape == (2 * 3, 3 * 4, 1)
    np.testing.assert_allclose(picture[::3, ::4, 0], [[0, 0.1, 0.2], [0.3, 0.4, 0.5]], atol=1e-6)
    assert (picture[2] == 0.5).all(), "a grey gap between rows, and grey where images are missing"


@pytest.mark.parametrize(("shape", "size"), [((4, 16), (5, 5)), ((4, 12), (2, 13)), ((4, 5, 3, 3), (6, 4))])
def test_any_example_becomes_an_image(shape, size):
    assert figures.tile(np.zeros(shape, np.float32), columns=4).shape[:2] == (size[0], 4 * size[1])


def test_reconstructions_stand_below_their_originals(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(figures, "save_grid", lambda path, images, **_: seen.append(images[:, 0, 0, 0].tolist()))
    originals = np.arange(4.0).reshape(4, 1, 1, 1)
    figures.save_reconstructions(tmp_path / "r.png", originals, originals + 10)
    assert seen == [[0, 1, 2, 3, 10, 11, 12, 13]]


@pytest.mark.parametrize("labels", [None, np.array([0, 1, 1])])
def test_scatter_draws_every_class(tmp_path, labels):
    codes = np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 0.0]])
    figures.save_latent_scatter(tmp_path / "deep" / "latent.png", codes, labels)
    colours = np.asarray(Image.open(tmp_path / "deep" / "latent.png").convert("RGB")).reshape(-1, 3)
    blue, orange = ((abs(colours - np.array(rgb)) < 8).all(1).any() for rgb in ((31, 119, 180), (255, 127, 14)))
    assert blue
    assert orange == (labels is not None)
