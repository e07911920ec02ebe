"""Figures of melodies: piano rolls, distances along paths, and changes along directions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from jaxvae.data.spaces.shown import Rolls
from jaxvae.report.figures import new_figure, save_figure
from jaxvae.report.rolls import roll

_COLUMNS = 8
"""Number of rolls side by side."""


def save_rolls(path: Path, groups: Sequence[Rolls], titles: Sequence[str]) -> None:
    """Draw melodies as piano rolls side by side, each group in rows of its own under its title."""
    columns = min(_COLUMNS, len(groups[0].notes))
    rows = [
        ("" if first else title, group.notes[first : first + columns])
        for group, title in zip(groups, titles)
        for first in range(0, len(group.notes), columns)
    ]
    figure, _ = new_figure(1, width=1.9 * columns, height=1.5 * len(rows) + 0.4)
    figure.clear()
    axes = figure.subplots(len(rows), columns, sharex=True, sharey=True, squeeze=False)
    for line, (title, melodies) in zip(axes, rows):
        line[0].set_title(title, fontsize=8, loc="left")
        for axis, melody in zip(line, melodies):
            roll(axis, melody, groups[0])
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
