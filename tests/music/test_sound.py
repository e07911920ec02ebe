"""Sound: each note has its pitch, and silence lies between them."""

import shutil
import wave

import numpy as np
import pytest

from jaxvae.errors import InputError
from jaxvae.music import write_wav
from jaxvae.music.sound import RATE, synthesise


def test_a_note_has_the_frequency_of_its_pitch():
    samples = synthesise(np.array([[4, 8, 69], [16, 8, 57]]), tempo=60)  # a step is a quarter of a second
    first, second = samples[RATE : 3 * RATE], samples[4 * RATE : 6 * RATE]
    frequencies = np.fft.rfftfreq(2 * RATE, 1 / RATE)
    assert frequencies[np.abs(np.fft.rfft(first)).argmax()] == pytest.approx(440, abs=0.5)
    assert frequencies[np.abs(np.fft.rfft(second)).argmax()] == pytest.approx(220, abs=0.5)
    assert not samples[:RATE].any()
    assert not samples[3 * RATE : 4 * RATE].any()
    assert 0.1 < np.abs(samples).max() <= 1


def test_a_file_of_the_samples(tmp_path):
    notes = np.array([[0, 4, 60], [4, 4, 67]])
    write_wav(tmp_path / "a.wav", notes)
    with wave.open(str(tmp_path / "a.wav")) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE)
        found = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32767
    np.testing.assert_allclose(found, synthesise(notes), atol=1 / 32767)


def test_fluidsynth_is_named_where_it_is_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(InputError, match="soundfont: needs the program fluidsynth"):
        write_wav(tmp_path / "a.wav", np.array([[0, 4, 60]]), soundfont=tmp_path / "a.sf2")
