"""Figures of melodies: piano rolls, distances along paths, and changes along directions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from jaxvae.music import STEPS_PER_BAR
from jaxvae.report.figures import new_figure, save_figure

_COLUMNS = 8
"""Number of rolls side by side."""


def save_rolls(path: Path, groups: Sequence[Sequence[np.ndarray]], titles: Sequence[str], length: int) -> None:
    """Draw melodies as piano rolls, each group in rows of its own.

    Args:
        path: path of the picture.
        groups: melodies `[n, 3]` of each group: start and length in steps, MIDI pitch.
        titles: titles of the groups.
        length: number of steps of a melody.
    """
    columns = min(_COLUMNS, len(groups[0]))
    rows = [melodies[first : first + columns] for melodies in groups for first in range(0, len(melodies), columns)]
    pitch = np.concatenate([melody[:, 2] for melodies in groups for melody in melodies])
    low, high = (pitch.min() - 1, pitch.max() + 1) if len(pitch) else (59, 73)
    figure, _ = new_figure(1, width=1.9 * columns, height=1.5 * len(rows) + 0.4)
    figure.clear()
    axes = figure.subplots(len(rows), columns, sharex=True, sharey=True, squeeze=False)
    heads = {len(melodies) * number // columns: title for number, (melodies, title) in enumerate(zip(groups, titles))}
    for number, (line, melodies) in enumerate(zip(axes, rows)):
        line[0].set_title(heads.get(number, ""), fontsize=8, loc="left")
        for axis, melody in zip(line, melodies):
            axis.barh(melody[:, 2], melody[:, 1] - 0.15, left=melody[:, 0], height=0.9, color="C0")
            axis.set(xlim=(0, length), ylim=(low, high), xticks=range(0, length + 1, STEPS_PER_BAR), xticklabels=[])
            axis.grid(axis="x", linewidth=0.5)
            axis.tick_params(labelsize=6)
        for axis in line[len(melodies) :]:
            axis.set_axis_off()
    save_figure(figure, path)


def save_distances(path: Path, measured: Mapping[str, np.ndarray]) -> None:
    """Plot distances `[points, 2]` to the first and to the last melody of each kind of path."""
    figure, (axis,) = new_figure(1, width=5, height=3.4)
    for number, (name, values) in enumerate(measured.items()):
        t = np.linspace(0, 1, len(values))
        axis.plot(t, values[:, 0], "o-", color=f"C{number}", label=f"{name}, to the first")
        axis.plot(t, values[:, 1], "s--", color=f"C{number}", label=f"{name}, to the last")
    axis.set(xlabel="position on the path", ylabel="Hamming distance, share of steps", ylim=(0, None))
    axis.legend(frameon=False, fontsize=7)
    save_figure(figure, path)


def save_changes(path: Path, table: Mapping[str, Mapping[str, float]]) -> None:
    """Draw the table of changes: directions from top to bottom, attributes from left to right."""
    figure, (axis,) = new_figure(1, width=5, height=4)
    names = [*next(iter(table.values()))]
    values = np.array([[row[name] for name in names] for row in table.values()])
    most = max(np.abs(np.nan_to_num(values)).max(), 1e-3)
    axis.imshow(values, cmap="RdBu_r", vmin=-most, vmax=most)
    for (row, column), value in np.ndenumerate(values):
        axis.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=8)
    axis.set(xticks=range(len(names)), yticks=range(len(table)))
    axis.set_xticklabels(names, rotation=20, ha="right", fontsize=8)
    axis.set_yticklabels([*table], fontsize=8)
    axis.set(ylabel="direction", title="change of each attribute, in standard deviations")
    save_figure(figure, path)
