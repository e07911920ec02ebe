"""Pictures: images stand where they belong."""

import numpy as np
import pytest
from PIL import Image

from jaxvae.report import figures


def test_tile_lays_images_row_by_row():
    images = np.arange(5, dtype=np.float32).reshape(5, 1, 1, 1) / 10 * np.ones((5, 2, 3, 1), np.float32)
    picture = figures.tile(images, columns=3)
    assert picture.shape == (2 * 3 - 1, 3 * 4 - 1, 1)
    np.testing.assert_allclose(picture[::3, ::4, 0], [[0, 0.1, 0.2], [0.3, 0.4, 0.5]], atol=1e-6)
    assert (picture[2] == 0.5).all(), "a grey gap between rows, and grey where images are missing"


@pytest.mark.parametrize(("shape", "size"), [((4, 16), (4, 4)), ((4, 12), (1, 12)), ((4, 5, 3, 3), (5, 3))])
def test_any_example_becomes_an_image(shape, size):
    assert figures.tile(np.zeros(shape, np.float32), columns=4).shape[:2] == (size[0], 4 * (size[1] + 1) - 1)


def test_names_stand_beside_their_rows_and_above_their_columns(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(figures, "save_figure", lambda figure, path: seen.append(figure.axes[0]))
    originals, images = np.zeros((2, 4, 6, 1)), np.ones((2, 3, 4, 6, 1))
    figures.save_strips(tmp_path / "s.png", originals, images, rows=["a", "b"], columns=["x", "y", "z"], title="t")
    (axis,) = seen
    assert [label.get_text() for label in axis.get_yticklabels()] == ["a", "b"]
    assert [label.get_text() for label in axis.get_xticklabels()] == ["image", "x", "y", "z"]
    picture = axis.get_images()[0].get_array()
    np.testing.assert_array_equal(axis.get_yticks(), [1.5, 6.5])  # pixels 0 to 3, a gap, pixels 5 to 8
    np.testing.assert_array_equal(axis.get_xticks(), [2.5, 9.5, 16.5, 23.5])
    assert (picture[:4, :6] == 0).all()
    assert (picture[5:, 21:] == 1).all()


def test_reconstructions_stand_below_their_originals(monkeypatch):
    seen = []
    monkeypatch.setattr(figures, "grid", lambda images, **_: seen.append(images[:, 0, 0, 0].tolist()))
    originals = np.arange(4.0).reshape(4, 1, 1, 1)
    figures.reconstructions(originals, originals + 10)
    assert seen == [[0, 1, 2, 3, 10, 11, 12, 13]]


@pytest.mark.parametrize("labels", [None, np.array([0, 1, 1])])
def test_scatter_draws_every_class(tmp_path, labels):
    codes = np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 0.0]])
    figures.save_latent_scatter(tmp_path / "deep" / "latent.png", codes, labels)
    colours = np.asarray(Image.open(tmp_path / "deep" / "latent.png").convert("RGB")).reshape(-1, 3)
    blue, orange = ((abs(colours - np.array(rgb)) < 8).all(1).any() for rgb in ((31, 119, 180), (255, 127, 14)))
    assert blue
    assert orange == (labels is not None)
