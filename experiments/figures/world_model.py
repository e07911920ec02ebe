"""Figures of a world model: returns over generations, and a film of frames, reconstructions and a dream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from jaxvae.report.animation import save_gif
from jaxvae.report.figures import new_figure, save_figure, save_grid

EVERY, SHOWN = 2, 14
"""Steps from one picture of the film to the next, and number of pictures in the strip."""


def save_curves(path: Path, histories: Sequence[Mapping[str, Sequence[float]]], longest: int) -> None:
    """Plot the median return of each generation, a panel for each row, thin for a seed, thick for their median.

    Args:
        path: path of the file.
        histories: medians by name of the row, of each seed; a search that has ended keeps its last one.
        longest: greatest return.
    """
    names = [*histories[0]]
    across = min(4, len(names))
    down = -(-len(names) // across)
    figure, panels = new_figure(across, rows=down, width=2.4 * across, height=2 * down, sharex=True, sharey=True)
    for axis, name in zip(panels, names):
        curves = padded([history[name] for history in histories])
        axis.plot(np.arange(1, curves.shape[1] + 1), curves.T, color="C0", linewidth=0.6, alpha=0.5)
        axis.plot(np.arange(1, curves.shape[1] + 1), np.median(curves, axis=0), color="C0", linewidth=1.8)
        axis.set_title(name, fontsize=8)
        axis.set_ylim(0, 1.04 * longest)
        axis.tick_params(labelsize=7)
    for axis in panels[len(names) :]:
        axis.set_axis_off()
    figure.supxlabel("generation", fontsize=8)
    figure.supylabel("median return", fontsize=8)
    save_figure(figure, path)


def padded(curves: Sequence[Sequence[float]]) -> np.ndarray:
    """Return curves as one array, each with its last value to the end of the longest."""
    longest = max(map(len, curves))
    return np.array([[*curve, *[curve[-1]] * (longest - len(curve))] for curve in curves])


def save_film(path: Path, stages: Mapping[str, np.ndarray]) -> None:
    """Write a film of images `[T, H, W, C]` side by side, with their names, and a strip of it as PNG."""
    ink = {name: 1 - np.clip(images, 0, 1) for name, images in stages.items()}
    film = np.stack([*ink.values()], axis=1)[::EVERY]
    save_gif(path.with_suffix(".gif"), film, labels=[*stages], columns=len(stages), back=False)
    length = len(next(iter(ink.values())))
    chosen = np.linspace(0, length - 1, min(SHOWN, length)).astype(int)
    strip = np.concatenate([images[chosen] for images in ink.values()])
    steps = [str(number) for number in chosen]
    save_grid(path.with_suffix(".png"), strip, columns=len(chosen), row_labels=[*stages], column_labels=steps)
