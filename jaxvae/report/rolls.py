"""Melodies as piano rolls, and as files to listen to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from jaxvae.data.spaces.shown import Rolls
from jaxvae.music.midi import TEMPO, write_midi
from jaxvae.music.sound import Synthesiser, choose_synthesiser, write_wav
from jaxvae.report.figures import new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ROWS, _COLUMNS = 6, 2
"""Rows of melodies in a figure, and their columns where they stand alone."""
_HEARD = 8
"""Largest number of melodies that are written as files."""


def rolls(stages: Sequence[Rolls], names: Sequence[str], title: str) -> Figure:
    """Draw the first melodies, one a panel, or in a row with what came of each step.

    A bar's height is one semitone, and its left edge is the onset.
    """
    columns = len(stages) if len(stages) > 1 else _COLUMNS
    figure, _ = new_figure(1, width=5 * columns, height=1 + 1.1 * _ROWS)
    figure.clear()
    axes = figure.subplots(_ROWS, columns, sharex=True, sharey=True)
    drawn = [*zip(*(stage.notes for stage in stages))] if len(stages) > 1 else _in_columns(stages[0], columns)
    for axis in axes.ravel():
        axis.set_axis_off()
    for row, melodies in zip(axes, drawn):
        for axis, notes in zip(row, melodies):
            axis.set_axis_on()
            axis.tick_params(labelsize=6)
            roll(axis, notes, stages[0])
    for axis, name in zip(axes[0], names if len(stages) > 1 else ()):
        axis.set_title(name, fontsize=8)
    figure.suptitle(title, fontsize=9)
    return figure


def _in_columns(shown: Rolls, columns: int) -> list[tuple[np.ndarray, ...]]:
    return [shown.notes[first : first + columns] for first in range(0, len(shown.notes), columns)]


def roll(axis: Axes, notes: np.ndarray, shown: Rolls) -> None:
    """Draw one melody, with a line at the beginning of each bar."""
    axis.barh(notes[:, 2], notes[:, 1], left=notes[:, 0], height=0.9, edgecolor="white", linewidth=0.6)
    axis.set_xlim(0, shown.length)
    axis.locator_params(axis="y", integer=True)
    axis.set_xticks(range(0, shown.length + 1, shown.steps_per_bar))
    axis.grid(axis="x", linewidth=0.5)
    axis.set_axisbelow(True)


def save_sounds(
    folder: Path, shown: Rolls, name: str, *, most: int = _HEARD, tempo: float = TEMPO, soundfont: Path | None = None
) -> Synthesiser:
    """Write the first melodies as MIDI and WAV files, `name_00.mid` and `name_00.wav` and so on.

    Args:
        folder: folder of the files.
        shown: melodies.
        name: beginning of the files' names.
        most: largest number of melodies that are written.
        tempo: quarter notes in a minute.
        soundfont: instruments for FluidSynth, see `choose_synthesiser`.

    Returns:
        The synthesiser of the WAV files.
    """
    synthesiser = choose_synthesiser(soundfont)
    folder.mkdir(parents=True, exist_ok=True)
    for number, notes in enumerate(shown.notes[:most]):
        write_midi(folder / f"{name}_{number:02}.mid", notes, tempo=tempo)
        write_wav(folder / f"{name}_{number:02}.wav", notes, tempo=tempo, synthesiser=synthesiser)
    return synthesiser
