"""Figures of synthetic rows beside real ones: a panel for each column, and a map of the pairs of columns."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from jaxvae.judges.synthetic import Columns, Rows
from jaxvae.report.figures import new_figure, save_figure

MOST_PANELS, PANELS_IN_A_ROW, MOST_WORDS = 30, 5, 12
"""Most columns that get a panel, panels in a row, and most categories that are drawn."""


def save_marginals(path: Path, columns: Columns, rows: Mapping[str, Rows], resemblance: Mapping[str, float]) -> None:
    """Plot the histogram of each column for every kind of rows; titles have the resemblance of the first two."""
    names = columns.names[:MOST_PANELS]
    across = min(PANELS_IN_A_ROW, len(names))
    down = -(-len(names) // across)
    figure, panels = new_figure(across, rows=down, width=2.6 * across, height=2.1 * down)
    for axis, name in zip(panels, names):
        draw = _bars if name in columns.words else _steps
        draw(axis, columns, {kind: one[name] for kind, one in rows.items()}, name)
        axis.set_title(f"{name}: {resemblance[name]:.2f}", fontsize=8)
        axis.set_yticks([])
        axis.tick_params(labelsize=6)
    for axis in panels[len(names) :]:
        axis.set_axis_off()
    panels[0].legend(frameon=False, fontsize=6)
    save_figure(figure, path)


def _bars(axis: Any, columns: Columns, values: Mapping[str, np.ndarray], name: str) -> None:
    words = columns.words[name][:MOST_WORDS]
    for number, (kind, column) in enumerate(values.items()):
        shares = [np.mean(column == word) for word in words]
        axis.bar(np.arange(len(words)) + (number - 0.5) * 0.4, shares, 0.4, label=kind)
    axis.set_xticks(np.arange(len(words)), [str(word)[:8] for word in words], rotation=60)


def _steps(axis: Any, columns: Columns, values: Mapping[str, np.ndarray], name: str) -> None:
    del columns, name
    numbers = {kind: np.asarray(column, np.float64) for kind, column in values.items()}
    real = next(iter(numbers.values()))
    low, high = np.nanquantile(real, [0.005, 0.995])
    edges = np.linspace(low, high, 30)
    for kind, column in numbers.items():
        axis.hist(column, np.unique(edges), density=True, histtype="step", label=kind)


def save_pairs(path: Path, columns: Columns, resemblances: Mapping[str, np.ndarray]) -> None:
    """Draw the resemblance of every pair of columns, a map for each generator."""
    size = 1.2 + 0.22 * len(columns.names)
    figure, axes = new_figure(len(resemblances), width=size * len(resemblances), height=size)
    for axis, (kind, pairs) in zip(axes, resemblances.items()):
        shown = axis.imshow(pairs, vmin=0.5, vmax=1, cmap="viridis")
        off = ~np.eye(len(pairs), dtype=bool)
        axis.set_title(f"{kind}: {pairs[off].mean():.3f}" if off.any() else kind, fontsize=8)
        axis.set_xticks(np.arange(len(pairs)), columns.names, rotation=90, fontsize=5)
        axis.set_yticks(np.arange(len(pairs)), columns.names, fontsize=5)
    figure.colorbar(shown, ax=list(axes), shrink=0.8)
    save_figure(figure, path)
