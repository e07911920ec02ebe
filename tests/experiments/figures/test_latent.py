"""Latent spaces as pictures: every panel and every row is where it belongs."""

import numpy as np
from PIL import Image

from figures import latent
from figures.latent import LEFT, TOP, Line, Panel, save_lines, save_panels

BLUE, ORANGE = np.array([31, 119, 180]), np.array([255, 127, 14])


def panel(shade, scale=1.0):
    """Codes of class 0 to the left, of class 1 to the right, and images of one shade."""
    codes = scale * np.array([[-1.5, 0.0], [1.5, 0.0]] * 300)
    grid, samples, paths = (np.full((num, 3, 3, 1), shade) for num in (16, 8, 4))
    return Panel("title", codes, np.array([0, 1] * 300), grid, samples, paths)


def pixels(path):
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


def middle(picture, left, top):
    """The pixel at a place in inches."""
    return picture[round(100 * top), round(100 * left)]


def test_a_column_for_each_model_and_classes_in_their_colours(tmp_path):
    save_panels(tmp_path / "deep" / "panels.png", [panel(0.2), panel(0.8, scale=5.0)], width=2.0)
    picture = pixels(tmp_path / "deep" / "panels.png")
    second = LEFT + 2.0 + 2 * latent.GAP
    for left, shade in ((LEFT, 51), (second, 204)):
        half = picture[round(100 * TOP) : round(100 * (TOP + 2)), round(100 * left) : round(100 * left) + 200]
        blue, orange = (np.argwhere(abs(half - colour).max(-1) < 40)[:, 1] for colour in (BLUE, ORANGE))
        assert len(blue)
        assert len(orange)
        assert blue.max() < 100 < orange.min()
        np.testing.assert_allclose(middle(picture, left + 0.2, TOP + 2 + 2 * latent.GAP + 0.2), shade, atol=8)


def test_far_codes_have_a_plane_of_their_own():
    limits = []
    for scale in (1.0, 20.0):
        axis = latent._axes(latent._blank(3, 3), 0, 0, 3, 3)
        latent._draw_codes(axis, panel(0.5, scale))
        limits.append(axis.get_xlim())
        assert axis.get_ylim() == axis.get_xlim()
        assert [patch.radius for patch in axis.patches] == [1, 2]
    assert limits == [(-4, 4), (-32, 32)]


def test_images_along_a_line_stand_in_their_rows(tmp_path):
    decoded = {place: np.full((num, 2, 2, 1), shade) for place, num, shade in PLACES}
    line = Line("one", np.linspace(-1, 1, 6), np.arange(6), decoded)
    save_lines(tmp_path / "line.png", [line, line], columns=4, width=4.5)
    picture = pixels(tmp_path / "line.png")
    for block in (0, 3 + 1.05):  # of cells an inch wide
        tops = [TOP + block + 0.52 + row * 1.03 + 0.5 for row in range(3)]
        shades = [middle(picture, LEFT + 0.6, top)[0] for top in tops]
        np.testing.assert_allclose(shades, [255 * shade for *_, shade in PLACES], atol=8)


PLACES = (("codes", 6, 0.2), ("halfway", 5, 0.4), ("prior", 50, 0.6))
