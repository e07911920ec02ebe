"""Tunes: a melody with its bars, the top line of chords, and groups of tunes that are variants of each other."""

from __future__ import annotations

import collections
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

_GRAM = 8
"""Number of successive intervals that are compared."""


class Tune(NamedTuple):
    """Melody with the bounds of its bars, in ticks."""

    name: str
    notes: np.ndarray
    """`[n, 3]` integers: start, length, MIDI pitch; one at a time."""
    step: int
    """Number of ticks in a 16th note."""
    bars: np.ndarray
    """`[B + 1]` start of each bar, and the end of the last."""
    part: int | None = None
    """Part number of the split that it belongs to; None where its owner gives none."""


def top_line(notes: np.ndarray) -> np.ndarray:
    """Return the highest note of each onset, cut where the next one begins.

    >>> top_line(np.array([[0, 4, 60], [0, 4, 64], [2, 2, 62]])).tolist()
    [[0, 2, 64], [2, 2, 62]]
    """
    notes = notes[np.lexsort((-notes[:, 2], notes[:, 0]))]
    notes = notes[np.diff(notes[:, 0], prepend=-1) > 0]
    last = notes[-1:, 0] + notes[-1:, 1]
    length = np.minimum(notes[:, 1], np.append(notes[1:, 0], last) - notes[:, 0])
    return np.stack([notes[:, 0], length, notes[:, 2]], axis=1)


def regular_bars(notes: np.ndarray, length: int) -> np.ndarray:
    """Return `[B + 1]` bounds of bars of equal length that cover the notes."""
    num = -(-int((notes[:, 0] + notes[:, 1]).max(initial=0)) // length)
    return np.arange(num + 1) * length


def variants(melodies: Sequence[np.ndarray]) -> np.ndarray:
    """Group melodies of which one contains half of the other, in any transposition and at any tempo.

    Two are in a group if they share half of the shorter one's different runs of eight intervals, or through others.

    Args:
        melodies: `[n]` MIDI pitches of each.

    Returns:
        `[N]` group of each melody: the number of its first member.
    """
    grams = [_grams(pitch) for pitch in melodies]
    holders = collections.defaultdict[bytes, list[int]](list)
    group = list(range(len(melodies)))

    def root(number: int) -> int:
        while group[number] != number:
            number = group[number]
        return number

    for number, own in enumerate(grams):
        shared = collections.Counter(other for gram in own for other in holders[gram])
        for other, count in shared.items():
            if 2 * count >= min(len(own), len(grams[other])):
                first, second = sorted((root(number), root(other)))
                group[second] = first
        for gram in own:
            holders[gram].append(number)
    return np.array([root(number) for number in range(len(melodies))])


def _grams(pitch: np.ndarray) -> set[bytes]:
    """Return the runs of intervals; a shorter melody is one run."""
    intervals = np.diff(pitch).astype(np.int8)
    width = min(_GRAM, len(intervals))
    return {intervals[i : i + width].tobytes() for i in range(len(intervals) - width + 1)}
