"""Attributes of melodies, such as the density of their notes, for directions in latent space."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from jaxvae.music.events import STEPS_PER_BAR

STEPS_PER_QUARTER = STEPS_PER_BAR // 4


def note_density(notes: np.ndarray, length: int) -> float:
    """Return the number of onsets per step of a melody of `length` steps; `notes` is `[n, 3]`, see `events.notes`."""
    return len(notes) / length


def mean_pitch(notes: np.ndarray, length: int) -> float:
    """Return the mean MIDI pitch of the notes, NaN without any."""
    return float(notes[:, 2].mean()) if len(notes) else float("nan")


def mean_interval(notes: np.ndarray, length: int) -> float:
    """Return the mean distance of successive pitches in semitones, NaN with fewer than two notes."""
    return float(np.abs(np.diff(notes[:, 2])).mean()) if len(notes) > 1 else float("nan")


def syncopation(notes: np.ndarray, length: int) -> float:
    """Return the share of notes that begin between two eighths, or two quarters, and last over the later one."""
    if not len(notes):
        return float("nan")
    start, end = notes[:, 0], notes[:, 0] + notes[:, 1]
    over = [(start % (2 * half) == half) & (end > start + half) for half in (1, STEPS_PER_QUARTER // 2)]
    return float(np.logical_or(*over).mean())


ATTRIBUTES: dict[str, Callable[[np.ndarray, int], float]] = {
    "note density": note_density,
    "mean pitch": mean_pitch,
    "mean interval": mean_interval,
    "syncopation": syncopation,
}
"""Attributes by name, of Roberts et al. 2018, section 5.4, https://arxiv.org/abs/1803.05428."""


def measured(melodies: Sequence[np.ndarray], length: int) -> dict[str, np.ndarray]:
    """Return `[N]` values of each attribute, by name, of N melodies of `length` steps."""
    return {name: np.array([of(melody, length) for melody in melodies]) for name, of in ATTRIBUTES.items()}
