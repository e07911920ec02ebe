"""Channels and values as they are drawn, and the words that say so."""

import numpy as np
import pytest

from jaxvae.report import display


@pytest.mark.parametrize(
    ("channels", "note"),
    [
        (1, ""),
        (2, "2 channels side by side"),
        (3, ""),
        (4, "first three of 4 channels as colours"),
        (7, "first three of 7 channels as colours"),
    ],
)
def test_every_channel_is_where_its_note_says(channels, note):
    images = np.random.default_rng(0).uniform(size=(2, 3, 5, channels)).astype(np.float32)
    pictures, said = display.displayable(images)
    assert said == note
    if channels == 2:
        np.testing.assert_array_equal(pictures[..., 0], np.concatenate([images[..., 0], images[..., 1]], axis=2))
    else:
        np.testing.assert_array_equal(pictures, images[..., : 1 if channels == 1 else 3])


def test_real_values_are_drawn_between_those_of_the_originals():
    originals = np.array([[-2.0, 0.0, 2.0], [1.0, 1.0, 1.0]])
    limits = display.value_limits(originals)
    pictures, note = display.displayable([[-3.0, 0.0, 1.0]], limits)
    np.testing.assert_allclose(pictures.ravel(), [0, 0.5, 0.75])
    assert note == "black is -2, white 2"
    assert display.value_limits([[3.0, 3.0]]) == (2.5, 3.5), "one value alone is grey"


def test_a_note_stands_below_the_title():
    assert display.with_note("title", "note") == "title\n(note)"
    assert display.with_note("title", "") == "title"
    assert display.with_note("", "note") == "note"
