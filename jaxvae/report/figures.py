"""Pictures of a run, written as PNG files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CELL = 0.5
"""Inches that one image takes in a grid."""


def save_grid(path: Path, images: ArrayLike, *, columns: int, title: str = "") -> None:
    """Images `[N, H, W, C]` or `[N, D]`, row by row."""
    picture = tile(np.asarray(images, np.float32), columns)
    height, width = (CELL * side / picture.shape[1] * columns for side in picture.shape[:2])
    figure, (axis,) = new_figure(1, width=max(width, 3), height=height + 0.35)
    grey = picture.shape[-1] == 1
    axis.imshow(picture[..., 0] if grey else picture, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axis.set_axis_off()
    axis.set_title(title, fontsize=9)
    save_figure(figure, path)


def save_reconstructions(path: Path, originals: ArrayLike, reconstructions: ArrayLike) -> None:
    """Two rows at a time: originals, and below each its reconstruction."""
    originals = np.asarray(originals)
    columns = min(len(originals), 16)
    rows = len(originals) // columns
    pairs = np.stack([originals, np.asarray(reconstructions)])[:, : rows * columns]
    interleaved = pairs.reshape(2, rows, columns, *originals.shape[1:]).swapaxes(0, 1)
    images = interleaved.reshape(-1, *originals.shape[1:])
    save_grid(path, images, columns=columns, title="test images, and their reconstructions below them")


def save_traversals(path: Path, images: ArrayLike, *, columns: int, values: Sequence[float]) -> None:
    """One row per latent dimension, `[D * columns, ...]` images."""
    title = f"each latent dimension in turn from {values[0]:+.1f} to {values[-1]:+.1f}"
    save_grid(path, images, columns=columns, title=title)


def save_manifold(path: Path, images: ArrayLike) -> None:
    """Decoded images over a square grid of the two-dimensional latent space."""
    images = np.asarray(images)
    columns = round(len(images) ** 0.5)
    save_grid(path, images, columns=columns, title="decoded over the prior's quantiles")


def save_loss_curve(path: Path, records: Sequence[dict[str, Any]]) -> None:
    """Loss, and its KL part, over steps; evaluations as dots."""
    figure, axes = new_figure(2, width=8, height=3.2)
    for axis, name, title in zip(axes, ("loss", "kl"), ("loss (nats per example)", "KL (nats per example)")):
        for split, style in (("train", "-"), ("validation", "o"), ("test", "s")):
            points = [(r["step"], r[name]) for r in records if r["split"] == split and name in r]
            if points:
                axis.plot(*zip(*points), style, label=split, markersize=3, linewidth=1)
        axis.set(xlabel="step", title=title)
        axis.legend(frameon=False)
    save_figure(figure, path)


def save_latent_scatter(path: Path, codes: ArrayLike, labels: np.ndarray | None) -> None:
    """Posterior means `[N, 2]`, coloured by class, on equal axes."""
    figure, (axis,) = new_figure(1, width=5.5, height=5)
    codes = np.asarray(codes)
    labels = np.zeros(len(codes), np.int32) if labels is None else labels
    classes = np.unique(labels)
    for number, label in enumerate(classes):
        first, second = codes[labels == label].T
        axis.scatter(first, second, s=5, linewidths=0, color=f"C{number % 10}", label=str(label))
    if len(classes) > 1:
        axis.legend(markerscale=3, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    axis.set(aspect="equal", xlabel="z0", ylabel="z1", title="posterior means of test images")
    save_figure(figure, path)


def tile(images: np.ndarray, columns: int) -> np.ndarray:
    """One picture `[rows * (H + 1), columns * (W + 1), C]` in [0, 1], a thin gap between images."""
    images = np.clip(_as_images(images), 0, 1)
    rows = -(-len(images) // columns)
    missing = rows * columns - len(images)
    padded = np.pad(images, [(0, missing), (0, 1), (0, 1), (0, 0)], constant_values=0.5)
    _, height, width, channels = padded.shape
    grid = padded.reshape(rows, columns, height, width, channels).swapaxes(1, 2)
    return grid.reshape(rows * height, columns * width, channels)


def _as_images(examples: np.ndarray) -> np.ndarray:
    """Vectors become squares where they can, else single rows."""
    if examples.ndim == 4:
        return examples
    count, length = examples.shape
    side = round(length**0.5)
    return examples.reshape((count, side, side, 1) if side * side == length else (count, 1, length, 1))


def new_figure(panels: int, *, width: float, height: float) -> tuple[Figure, Sequence[Axes]]:
    """A figure of some inches, with panels side by side."""
    # A Figure of its own, not pyplot's: no global state, no window, no backend to choose.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(1, panels, squeeze=False)[0]


def save_figure(figure: Figure, path: Path) -> None:
    """Write the file, and the folder where there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
