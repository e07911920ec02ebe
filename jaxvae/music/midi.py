"""Melodies in MIDI files, read and written by mido."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from jaxvae.errors import InputError, first_line
from jaxvae.music.events import STEPS_PER_BAR
from jaxvae.music.tunes import Tune, regular_bars, top_line
from jaxvae.packages import needed_by

TICKS_PER_QUARTER = 480
STEPS_PER_QUARTER = 4
TEMPO = 120.0
"""Quarter notes in a minute."""
_DRUMS = 9
_VELOCITY = 80


def read_midi(path: Path) -> Tune:
    """Read the melody of a MIDI file, the top line where notes begin together, with the bars of its time signatures.

    Ticks are a quarter of the file's, so that a 16th note is a whole number of them. Drums are passed over.

    Raises:
        InputError: the file is damaged, holds no notes, or notes of several channels or tracks.
    """
    mido = needed_by(path, "mido", extra="music")
    try:
        file = mido.MidiFile(path)
    except (OSError, EOFError, ValueError, LookupError, mido.KeySignatureError) as error:
        raise InputError(f"{path}: cannot be read ({first_line(error)}); write it again") from error
    if file.type == 2 or file.ticks_per_beat < 1:
        raise InputError(f"{path}: holds several patterns, or has no beats; save it as a MIDI file of type 0 or 1")
    voices = _voices(file)
    if len(voices) != 1:
        remedy = "keep the track of its melody alone" if voices else "leave it out"
        raise InputError(f"{path}: holds notes of {len(voices)} voices, here it must be 1; {remedy}")
    notes = top_line(np.array(next(iter(voices.values()))) * [STEPS_PER_QUARTER, STEPS_PER_QUARTER, 1])
    return Tune(path.stem, notes, file.ticks_per_beat, _bars(file, notes))


def _voices(file: Any) -> dict[tuple[int, int], list[tuple[int, int, int]]]:
    """Return the notes (start, length, pitch) of each track and channel."""
    voices: dict[tuple[int, int], list[tuple[int, int, int]]] = {}
    for number, track in enumerate(file.tracks):
        now, sounding = 0, dict[tuple[int, int], int]()
        for message in track:
            now += message.time
            if message.type not in ("note_on", "note_off") or message.channel == _DRUMS:
                continue
            key = (message.channel, message.note)
            if (start := sounding.pop(key, now)) < now:
                voices.setdefault((number, message.channel), []).append((start, now - start, message.note))
            if message.type == "note_on" and message.velocity:
                sounding[key] = now
    return voices


def _bars(file: Any, notes: np.ndarray) -> np.ndarray:
    """Return the bounds of the bars; a new time signature begins a bar."""
    changes = {0: STEPS_PER_BAR}
    for track in file.tracks:
        now = 0
        for message in track:
            now += message.time
            if message.type == "time_signature":
                changes[STEPS_PER_QUARTER * now] = STEPS_PER_BAR * message.numerator // message.denominator
    bounds = [np.zeros(0, int)]
    ends = [*sorted(changes)[1:], None]
    for (start, steps), end in zip(sorted(changes.items()), ends):
        bars = start + regular_bars(notes - [start, 0, 0], max(steps, 1) * file.ticks_per_beat)
        bounds.append(bars if end is None else bars[bars < end])
    return np.concatenate(bounds)


def write_midi(path: Path, notes: np.ndarray, *, tempo: float = TEMPO, program: int = 0) -> None:
    """Write a melody on the grid of 16th notes as a MIDI file of type 0, in 4/4.

    Args:
        path: path of the file.
        notes: `[n, 3]` start and length in steps, MIDI pitch; one at a time.
        tempo: quarter notes in a minute.
        program: instrument of General MIDI, from 0; 0 is a piano.
    """
    mido = needed_by(path, "mido", extra="music")
    ticks = TICKS_PER_QUARTER // STEPS_PER_QUARTER
    track = mido.MidiTrack()
    track.append(mido.MetaMessage("time_signature", numerator=4, denominator=4))
    track.append(mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(tempo)))
    track.append(mido.Message("program_change", program=program))
    now = 0
    for start, length, pitch in np.asarray(notes).tolist():
        track.append(mido.Message("note_on", note=pitch, velocity=_VELOCITY, time=ticks * (start - now)))
        track.append(mido.Message("note_off", note=pitch, velocity=0, time=ticks * length))
        now = start + length
    mido.MidiFile(type=0, ticks_per_beat=TICKS_PER_QUARTER, tracks=[track]).save(path)
