"""Sound: each note has its pitch, and silence lies between them."""

import sys
import wave
from pathlib import Path

import numpy as np
import pytest

from jaxvae.errors import InputError
from jaxvae.music import choose_synthesiser, sound, write_wav
from jaxvae.music.sound import RATE, Synthesiser, synthesise


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


@pytest.fixture
def without(tmp_path, monkeypatch):
    """No sound font anywhere, no FluidSynth, and empty folders for both."""
    folders = tmp_path / "programs", tmp_path / "fonts"
    for folder in folders:
        folder.mkdir()
    monkeypatch.setattr(sound, "PLACES", (tmp_path / "nowhere", folders[1]))
    monkeypatch.setenv("PATH", str(folders[0]))
    monkeypatch.delenv(sound.SOUNDFONT, raising=False)
    return folders


FAKE = """#!{python}
import sys, wave
open({log!r}, "w").write("\\n".join(sys.argv[1:]))
file = wave.open(sys.argv[sys.argv.index("-F") + 1], "wb")
file.setparams((2, 2, 22050, 0, "NONE", "not compressed"))
file.writeframes(bytes(400))
sys.exit("bad" in sys.argv[-2])
"""


@pytest.fixture
def fake(without, tmp_path):
    """A program named fluidsynth that writes down how it is called; returns a function that reads this."""
    programs, _ = without
    program, log = programs / "fluidsynth", tmp_path / "log"
    program.write_text(FAKE.format(python=sys.executable, log=str(log)))
    program.chmod(0o755)
    return lambda: [str(program), *log.read_text().split("\n")]


def test_without_a_program_and_a_sound_font_notes_are_sines(without):
    _, fonts = without
    (fonts / "piano.sf2").touch()
    assert choose_synthesiser() == Synthesiser()
    assert str(choose_synthesiser()) == "decaying sines"


def test_the_program_needs_a_sound_font(fake, without):
    _, fonts = without
    assert choose_synthesiser() == Synthesiser()
    (fonts / "removed.sf2").symlink_to(fonts / "nothing")
    assert choose_synthesiser() == Synthesiser()


def test_the_program_plays_the_melody_with_a_font_that_is_found(fake, without, tmp_path):
    _, fonts = without
    for name in ("another.sf2", "default-GM.sf3", "readme.txt"):
        (fonts / name).touch()
    chosen = choose_synthesiser()
    assert str(chosen) == "FluidSynth with default-GM.sf3"
    write_wav(tmp_path / "a.wav", np.array([[0, 4, 60]]), synthesiser=chosen)
    program, *options, font, midi = fake()
    assert program == chosen.program
    assert options[:3] == ["-n", "-i", "-q"]
    assert dict(zip(options[3::2], options[4::2])) == {"-g": "2.0", "-r": "22050", "-F": str(tmp_path / "a.wav")}
    assert (font, Path(midi).suffix) == (str(fonts / "default-GM.sf3"), ".mid")
    with wave.open(str(tmp_path / "a.wav")) as file:
        assert file.getnframes() == 100


def test_an_argument_comes_before_the_variable_and_that_before_what_is_found(fake, without, tmp_path, monkeypatch):
    fonts = {name: tmp_path / "fonts" / f"{name}.sf2" for name in ("found", "variable", "argument")}
    for font in fonts.values():
        font.touch()
    monkeypatch.setattr(sound, "PLACES", (tmp_path / "nowhere",))
    monkeypatch.setenv(sound.SOUNDFONT, str(fonts["variable"]))
    assert choose_synthesiser().soundfont == fonts["variable"]
    assert choose_synthesiser(fonts["argument"]).soundfont == fonts["argument"]
    monkeypatch.setenv(sound.SOUNDFONT, "none")
    assert choose_synthesiser() == Synthesiser()
    assert choose_synthesiser(fonts["argument"]).soundfont == fonts["argument"]


def test_what_is_named_and_missing_is_refused(without, tmp_path, monkeypatch):
    font = tmp_path / "fonts" / "bad.sf2"
    with pytest.raises(InputError, match="soundfont: needs the program fluidsynth"):
        choose_synthesiser(font)
    monkeypatch.setenv(sound.SOUNDFONT, str(font))
    with pytest.raises(InputError, match="JAXVAE_SOUNDFONT: needs the program fluidsynth"):
        choose_synthesiser()


def test_a_font_that_is_missing_or_cannot_be_played_is_refused(fake, tmp_path):
    font = tmp_path / "fonts" / "bad.sf2"
    with pytest.raises(InputError, match=r"soundfont: there is no file .*bad.sf2; name a .sf2 file"):
        choose_synthesiser(font)
    font.touch()
    with pytest.raises(InputError, match=r"soundfont: .*bad.sf2 cannot be played"):
        write_wav(tmp_path / "a.wav", np.array([[0, 4, 60]]), synthesiser=choose_synthesiser(font))


def test_the_real_program_plays_each_note_at_its_time(tmp_path, monkeypatch):
    monkeypatch.delenv(sound.SOUNDFONT, raising=False)
    chosen = choose_synthesiser()
    if chosen.soundfont is None:
        pytest.skip("FluidSynth or a sound font is not installed")
    write_wav(tmp_path / "a.wav", np.array([[0, 8, 69], [16, 8, 57]]), tempo=120, synthesiser=chosen)
    with wave.open(str(tmp_path / "a.wav")) as file:
        assert file.getframerate() == RATE
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, file.getnchannels())
    samples = samples.mean(axis=1) / 32767
    assert 3 < len(samples) / RATE < 10, "the melody ends after 3 seconds, and then fades away"
    assert 0.05 < np.abs(samples).max() <= 1
    frequencies = np.fft.rfftfreq(RATE // 2, 1 / RATE)
    for start, pitch in ((0.2, 440), (2.2, 220)):
        note = samples[int(start * RATE) : int(start * RATE) + RATE // 2]
        found = frequencies[np.abs(np.fft.rfft(note)).argmax()]
        assert any(found == pytest.approx(k * pitch, abs=3) for k in (1, 2, 3)), "the pitch or an overtone"
