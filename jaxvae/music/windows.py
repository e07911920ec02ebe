"""Windows of a number of bars, as rows of event tokens."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from jaxvae.music.events import FIRST, STEPS_PER_BAR
from jaxvae.music.tunes import Tune


def windows(tune: Tune, bars: int) -> Iterator[np.ndarray]:
    """Yield the notes of every run of bars of 4/4 or 2/2 that lie on the grid, one run for each first bar.

    A note that is held into the run is left out, and one that is held beyond it is cut.

    Args:
        tune: melody and its bars.
        bars: number of bars in a run.

    Yields:
        `[n, 3]` start and length in steps from the run's beginning, MIDI pitch; with one note at least.
    """
    whole = np.diff(tune.bars) == STEPS_PER_BAR * tune.step
    begins = tune.notes[:, 0]
    for first in range(len(whole) - bars + 1):
        start, end = tune.bars[first], tune.bars[first + bars]
        inside = tune.notes[np.searchsorted(begins, start) : np.searchsorted(begins, end)]
        if not len(inside) or not whole[first : first + bars].all():
            continue
        times = np.stack([inside[:, 0] - start, np.minimum(inside[:, 1], end - inside[:, 0])], axis=1)
        if not (times % tune.step).any():
            yield np.concatenate([times // tune.step, inside[:, 2:]], axis=1)


def transposed(rows: np.ndarray, semitones: int, num_pitches: int) -> np.ndarray:
    """Return rows of event tokens with each pitch moved; rows that leave the range are left out.

    Args:
        rows: `[N, T]` tokens.
        semitones: interval, down if negative.
        num_pitches: number of pitches in the range, of which each is a semitone above the one before.
    """
    onset = rows >= FIRST
    moved = np.where(onset, rows + semitones, rows)
    inside = ~onset | ((moved >= FIRST) & (moved < FIRST + num_pitches))
    return moved[inside.all(axis=1)]
