"""Sound of melodies: decaying sines in NumPy, or FluidSynth where it is installed."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import wave
from pathlib import Path

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


def write_wav(path: Path, notes: np.ndarray, *, tempo: float = TEMPO, soundfont: Path | None = None) -> None:
    """Write the sound of a melody as a WAV file.

    Args:
        path: path of the file.
        notes: `[n, 3]` start and length in steps, MIDI pitch.
        tempo: quarter notes in a minute.
        soundfont: instruments (`.sf2`) that FluidSynth plays; None plays decaying sines.

    Raises:
        InputError: FluidSynth is not installed, or cannot use the soundfont.
    """
    if soundfont is not None:
        _play(path, notes, tempo, soundfont)
        return
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((synthesise(notes, tempo=tempo) * 32767).astype("<i2").tobytes())


def _play(path: Path, notes: np.ndarray, tempo: float, soundfont: Path) -> None:
    """Let FluidSynth play the notes into a file."""
    if (program := shutil.which("fluidsynth")) is None:
        raise InputError("soundfont: needs the program fluidsynth, which is not installed; install it, or leave it out")
    if not soundfont.exists():
        raise InputError(f"soundfont: there is no file {soundfont}; name a .sf2 file")
    with tempfile.TemporaryDirectory() as folder:
        midi = Path(folder) / "melody.mid"
        write_midi(midi, notes, tempo=tempo)
        command = [program, "-ni", "-q", "-r", str(RATE), "-F", str(path), str(soundfont), str(midi)]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode or not path.exists():
        raise InputError(f"soundfont: {soundfont} cannot be played ({first_line(RuntimeError(result.stderr))})")
