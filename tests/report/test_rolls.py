"""Piano rolls: a bar for each note, at its onset and pitch; melodies as files that are read back."""

import wave

import matplotlib
import numpy as np
import pytest

from jaxvae.data.spaces import Tokens
from jaxvae.data.spaces.shown import Rolls
from jaxvae.music import read_midi
from jaxvae.music.sound import SOUNDFONT
from jaxvae.report import presentations
from jaxvae.report.rolls import rolls, save_sounds

NOTES = np.array([[0, 4, 60], [6, 2, 64], [8, 24, 67]])
SHOWN = Rolls((NOTES, NOTES[:1], NOTES[:0]), 32, 16)


@pytest.fixture(autouse=True)
def _headless():
    matplotlib.use("agg")


@pytest.mark.parametrize("num_stages", [1, 2])
def test_a_bar_for_each_note(num_stages):
    figure = rolls([SHOWN] * num_stages, ["test", "reconstruction"], "melodies")
    bars = [[(b.get_x(), b.get_width(), b.get_y() + b.get_height() / 2) for b in a.patches] for a in figure.axes]
    drawn = [found for found in bars if found]
    assert drawn[0] == [(0, 4, 60), (6, 2, 64), (8, 24, 67)]
    assert len(drawn) == 2 * num_stages
    assert figure.axes[0].get_xlim() == (0, 32)
    assert sum(axis.axison for axis in figure.axes) == 3 * num_stages, "a melody without notes has its axes too"


def test_melodies_are_shown_as_rolls(tmp_path):
    space = Tokens(10, 9)
    shown = space.show(np.array([[5, 3, 7, 4, 3, 3, 3, 3, 1]]), {"pitches": [60, 61, 62], "steps_per_bar": 8})
    assert isinstance(shown, Rolls)
    assert shown.notes[0].tolist() == [[0, 2, 60], [2, 1, 62]]
    path = tmp_path / f"x{presentations.suffix(shown)}"
    presentations.save(path, [shown, shown], names=["test", "reconstruction"], title="melodies")
    assert path.suffix == ".png"
    assert path.stat().st_size > 1000


def test_melodies_are_heard(tmp_path, monkeypatch):
    monkeypatch.setenv(SOUNDFONT, "none")
    assert str(save_sounds(tmp_path / "new", SHOWN, "sample")) == "decaying sines"
    tune = read_midi(tmp_path / "new" / "sample_00.mid")
    np.testing.assert_array_equal(tune.notes // [tune.step, tune.step, 1], NOTES)
    with wave.open(str(tmp_path / "new" / "sample_00.wav")) as file:
        assert file.getnframes() / file.getframerate() == pytest.approx(32 / 8 + 0.25, abs=0.01)
