"""Event tokens of a melody on the grid of 16th notes (MusicVAE, Roberts et al. 2018)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from jaxvae.errors import InputError

SUSTAIN, OFF, FIRST = 3, 4, 5
"""Tokens of a step without an event, of the end of a note, and of an onset of the first pitch."""
STEPS_PER_BAR = 16
"""Number of 16th notes in a bar of 4/4."""


def tokens(notes: np.ndarray, length: int, pitches: Sequence[int]) -> np.ndarray:
    """Return the event at each step: an onset, the end of a note that no onset follows at once, or no event.

    Args:
        notes: `[n, 3]` integers: start and length in steps, MIDI pitch; in the order of their starts.
        length: number T of steps.
        pitches: MIDI numbers of the tokens from `FIRST` on.

    Returns:
        `[T]` int32 tokens, without an end mark. `notes` inverts it.

    Raises:
        InputError: notes overlap, or lie outside the steps, or have another pitch.

    >>> tokens(np.array([[0, 2, 60], [2, 1, 62]]), 6, [60, 61, 62]).tolist()
    [5, 3, 7, 4, 3, 3]
    """
    start, end, pitch = notes[:, 0], notes[:, 0] + notes[:, 1], notes[:, 2]
    if len(notes) and (start[0] < 0 or end.max() > length or (notes[:, 1] < 1).any()):
        raise InputError(f"notes: reach from step {start.min()} to {end.max()}; place them in steps 0 to {length}")
    if (start[1:] < end[:-1]).any():
        remedy = "melodies have one at a time; take their top line"
        raise InputError(f"notes: note {int((start[1:] < end[:-1]).argmax())} overlaps the next one; {remedy}")
    if strange := set(pitch.tolist()).difference(pitches):
        raise InputError(f"notes: pitch {min(strange)} is none of {min(pitches)} to {max(pitches)}; transpose them")
    row = np.full(length, SUSTAIN, np.int32)
    row[end[end < length]] = OFF
    row[start] = FIRST + np.searchsorted(pitches, pitch)
    return row


def notes(row: np.ndarray, pitches: Sequence[int]) -> np.ndarray:
    """Return the notes of a row of tokens: each lasts until the next onset, its end, or the end of the row.

    Args:
        row: `[T]` tokens; the first below `SUSTAIN`, such as an end mark, ends the melody.
        pitches: MIDI numbers of the tokens from `FIRST` on.

    Returns:
        `[n, 3]` int32: start and length in steps, MIDI pitch.

    >>> notes(np.array([5, 3, 7, 4, 3, 3, 1, 0]), [60, 61, 62]).tolist()
    [[0, 2, 60], [2, 1, 62]]
    """
    row = np.asarray(row)
    ends = np.flatnonzero(row < SUSTAIN)
    row = row[: ends[0]] if len(ends) else row
    events = np.flatnonzero(row >= OFF)
    lengths = np.diff(events, append=len(row))
    onset = row[events] >= FIRST
    pitch = np.asarray(pitches)[row[events[onset]] - FIRST]
    return np.stack([events[onset], lengths[onset], pitch], axis=1).astype(np.int32)
