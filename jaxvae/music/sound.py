"""Sound of melodies: instruments by FluidSynth where it is installed with a sound font, else decaying sines."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import wave
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxvae.errors import InputError, first_line
from jaxvae.music.midi import STEPS_PER_QUARTER, TEMPO, write_midi

RATE = 22050
"""Samples in a second."""
_PARTIALS = (1.0, 0.4, 0.2)
"""Amplitudes of the fundamental and its overtones."""
_DECAY = 3.0
"""Rate of the exponential decay of a note, per second."""
_FADE = 0.01
"""Seconds in which a note begins, and in which it ends."""
_LOUDEST = 0.6
_GAIN = 2.0
"""Gain of FluidSynth, at which one voice is about as loud as the sines."""
SOUNDFONT = "JAXVAE_SOUNDFONT"
"""Environment variable with the path of a sound font for FluidSynth, or none for decaying sines."""
PLACES = (
    Path("/usr/share/sounds/sf2"),
    Path("/usr/share/soundfonts"),
    Path("/usr/local/share/soundfonts"),
    Path("/opt/homebrew/share/soundfonts"),
    Path("~/.local/share/soundfonts"),
)
"""Folders where packages and people put sound fonts."""


def synthesise(notes: np.ndarray, *, tempo: float = TEMPO) -> np.ndarray:
    """Return `[S]` float samples in [-1, 1] at `RATE` of a melody, whose notes are decaying sines.

    Args:
        notes: `[n, 3]` start and length in steps, MIDI pitch.
        tempo: quarter notes in a minute.
    """
    seconds = 60 / (STEPS_PER_QUARTER * tempo)
    bounds = np.rint(np.stack([notes[:, 0], notes[:, 0] + notes[:, 1]], axis=1) * seconds * RATE).astype(int)
    samples = np.zeros(bounds.max(initial=0) + RATE // 4)
    for (start, end), pitch in zip(bounds, notes[:, 2]):
        samples[start:end] += _tone(end - start, 440 * 2 ** ((pitch - 69) / 12))
    return np.clip(_LOUDEST * samples, -1, 1)


def _tone(num: int, frequency: float) -> np.ndarray:
    time = np.arange(num) / RATE
    partials = [(k, a) for k, a in enumerate(_PARTIALS, start=1) if k * frequency < RATE / 2]
    sound = sum(amplitude * np.sin(2 * np.pi * k * frequency * time) for k, amplitude in partials)
    fade = np.minimum(1, np.minimum(time, time[::-1]) / _FADE)
    tone: np.ndarray = sound * fade * np.exp(-_DECAY * time) / sum(_PARTIALS)
    return tone


class Synthesiser(NamedTuple):
    """Program that plays melodies with a sound font; decaying sines in NumPy without both."""

    program: str | None = None
    """Path of FluidSynth."""
    soundfont: Path | None = None
    """File with the instruments (.sf2)."""

    def __str__(self) -> str:
        return "decaying sines" if self.soundfont is None else f"FluidSynth with {self.soundfont.name}"


SINES = Synthesiser()
"""Decaying sines."""


def choose_synthesiser(soundfont: Path | None = None) -> Synthesiser:
    """Return FluidSynth with the sound font that is named or found, else decaying sines.

    A sound font is named by the argument, or by the environment variable JAXVAE_SOUNDFONT; otherwise the first of the
    usual folders that has one gives it. JAXVAE_SOUNDFONT=none chooses the sines.

    Args:
        soundfont: file with the instruments (.sf2).

    Raises:
        InputError: a sound font is named, but is missing, or FluidSynth is.
    """
    program, variable = shutil.which("fluidsynth"), os.environ.get(SOUNDFONT, "")
    if soundfont is None and variable == "none":
        return SINES
    if soundfont is None and not variable:
        found = _found()
        return SINES if program is None or found is None else Synthesiser(program, found)
    name, named = ("soundfont", soundfont) if soundfont is not None else (SOUNDFONT, Path(variable))
    if program is None:
        raise InputError(f"{name}: needs the program fluidsynth, which is not installed; install it, or leave it out")
    if not named.is_file():
        raise InputError(f"{name}: there is no file {named}; name a .sf2 file")
    return Synthesiser(program, named)


def _found() -> Path | None:
    """Return the first sound font of the usual places; of one folder that which is called default, else the first."""
    for folder in PLACES:
        fonts = sorted(folder.expanduser().glob("*.sf[23]"), key=lambda file: ("default" not in file.name, file.name))
        if fonts := [file for file in fonts if file.is_file()]:  # a link to a font that was removed is none
            return fonts[0].resolve()
    return None


def write_wav(path: Path, notes: np.ndarray, *, tempo: float = TEMPO, synthesiser: Synthesiser = SINES) -> None:
    """Write the sound of a melody as a WAV file.

    Args:
        path: path of the file.
        notes: `[n, 3]` start and length in steps, MIDI pitch.
        tempo: quarter notes in a minute.
        synthesiser: see `choose_synthesiser`; decaying sines if not given.

    Raises:
        InputError: FluidSynth cannot use the sound font.
    """
    if synthesiser.soundfont is not None:
        _play(path, notes, tempo, synthesiser)
        return
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((synthesise(notes, tempo=tempo) * 32767).astype("<i2").tobytes())


def _play(path: Path, notes: np.ndarray, tempo: float, synthesiser: Synthesiser) -> None:
    """Let FluidSynth play the notes into a file."""
    with tempfile.TemporaryDirectory() as folder:
        midi = Path(folder) / "melody.mid"
        write_midi(midi, notes, tempo=tempo)
        options = ["-n", "-i", "-q", "-g", str(_GAIN), "-r", str(RATE), "-F", str(path)]
        command = [str(synthesiser.program), *options, str(synthesiser.soundfont), str(midi)]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode or not path.exists():
        fault = first_line(RuntimeError(result.stderr))
        raise InputError(f"soundfont: {synthesiser.soundfont} cannot be played ({fault}); name another .sf2 file")
