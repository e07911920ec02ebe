"""Attributes of melodies that were counted by hand."""

import numpy as np
import pytest

from jaxvae.music.attributes import ATTRIBUTES

SCALE = np.array([[4 * i, 4, 60 + 2 * i] for i in range(8)])
"""Quarter notes, a whole tone higher each."""
OFF = np.array([[0, 1, 60], [1, 2, 67], [3, 1, 60], [6, 4, 72]])
"""The second note lasts from the second 16th over an eighth, the last from an eighth over a quarter."""


@pytest.mark.parametrize(
    ("name", "notes", "length", "expected"),
    [
        ("note density", SCALE, 32, 0.25),
        ("mean pitch", SCALE, 32, 67),
        ("mean interval", SCALE, 32, 2),
        ("syncopation", SCALE, 32, 0),
        ("note density", OFF, 16, 0.25),
        ("mean pitch", OFF, 16, 64.75),
        ("mean interval", OFF, 16, 26 / 3),
        ("syncopation", OFF, 16, 0.5),
    ],
)
def test_values(name, notes, length, expected):
    assert ATTRIBUTES[name](notes, length) == pytest.approx(expected)


@pytest.mark.parametrize("name", [name for name in ATTRIBUTES if name != "note density"])
def test_silence_has_no_value(name):
    assert np.isnan(ATTRIBUTES[name](np.zeros((0, 3), int), 16))
