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
LETTER = 0.075
"""Inches that one letter of a row's name may take."""


def save_grid(
    path: Path,
    images: ArrayLike,
    *,
    columns: int,
    title: str = "",
    row_labels: Sequence[str] = (),
    column_labels: Sequence[str] = (),
) -> None:
    """Images `[N, H, W, C]` or `[N, D]`, row by row; rows and columns have names where they are given."""
    images = np.asarray(images, np.float32)
    picture, rows = tile(images, columns), -(-len(images) // columns)
    cell_height, cell_width = (picture.shape[0] + 1) // rows, (picture.shape[1] + 1) // columns
    width = CELL * columns + LETTER * max(map(len, row_labels), default=0)
    height = CELL * rows * cell_height / cell_width + (0.5 if column_labels else 0.3)
    figure, (axis,) = new_figure(1, width=width, height=height)
    grey = picture.shape[-1] == 1
    axis.imshow(picture[..., 0] if grey else picture, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axis.set_yticks(_middles(len(row_labels), cell_height), row_labels)
    axis.set_xticks(_middles(len(column_labels), cell_width), column_labels)
    axis.tick_params(length=0, labelsize=7, labeltop=True, labelbottom=False)
    axis.spines[:].set_visible(False)
    axis.set_title(title, fontsize=9)
    save_figure(figure, path)


def save_strips(
    path: Path, originals: ArrayLike, images: ArrayLike, *, rows: Sequence[str], columns: Sequence[str], title: str
) -> None:
    """Originals `[R, ...]`, and to the right of each what was made of it: images `[R, C, ...]`."""
    strips = np.concatenate([np.asarray(originals)[:, None], np.asarray(images)], axis=1)
    flat = strips.reshape(-1, *strips.shape[2:])
    labels = ["image", *columns]
    save_grid(path, flat, columns=strips.shape[1], title=title, row_labels=rows, column_labels=labels)


def save_reconstructions(
    path: Path, *stages: ArrayLike, title: str = "test images, and their reconstructions below them"
) -> None:
    """Images `[N, ...]`, below each what was made of it, and below that what was made of this, if more follows."""
    images = np.stack([np.asarray(stage) for stage in stages])
    columns = min(images.shape[1], 16)
    rows = images.shape[1] // columns
    interleaved = images[:, : rows * columns].reshape(len(images), rows, columns, *images.shape[2:]).swapaxes(0, 1)
    save_grid(path, interleaved.reshape(-1, *images.shape[2:]), columns=columns, title=title)


def save_manifold(path: Path, images: ArrayLike) -> None:
    """Decoded images over a square grid of the two-dimensional latent space."""
    images = np.asarray(images)
    columns = round(len(images) ** 0.5)
    save_grid(path, images, columns=columns, title="decoded over the prior's quantiles")


def save_loss_curve(path: Path, records: Sequence[dict[str, Any]]) -> None:
    """Loss, and its KL part where there is one, over steps; evaluations as dots."""
    names = [name for name in ("loss", "kl") if any(name in record for record in records)]
    figure, axes = new_figure(len(names), width=4 * len(names), height=3.2)
    for axis, name in zip(axes, names):
        for split, style in (("train", "-"), ("validation", "o"), ("test", "s")):
            points = [(r["step"], r[name]) for r in records if r["split"] == split and name in r]
            if points:
                axis.plot(*zip(*points), style, label=split, markersize=3, linewidth=1)
        axis.set(xlabel="step", title={"loss": "loss (nats per example)", "kl": "KL (nats per example)"}[name])
        axis.legend(frameon=False)
    save_figure(figure, path)


def save_latent_scatter(
    path: Path,
    codes: ArrayLike,
    labels: np.ndarray | None,
    *,
    axes: tuple[str, str] = ("z0", "z1"),
    title: str = "posterior means of test images",
) -> None:
    """Posterior means `[N, 2]`, or a view of them, coloured by class, on equal axes."""
    figure, (axis,) = new_figure(1, width=5.5, height=5)
    codes = np.asarray(codes)
    labels = np.zeros(len(codes), np.int32) if labels is None else labels
    classes, numbers = np.unique(labels, return_inverse=True)
    colours = np.array([f"C{number % 10}" for number in range(len(classes))])
    first, second = codes.T
    axis.scatter(first, second, s=5, linewidths=0, c=colours[numbers])  # class by class, the last would hide the others
    if len(classes) > 1:
        for label, colour in zip(classes, colours):
            axis.scatter([], [], s=5, linewidths=0, color=colour, label=str(label))
        axis.legend(markerscale=3, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    axis.set(aspect="equal", xlabel=axes[0], ylabel=axes[1], title=title)
    save_figure(figure, path)


def tile(images: np.ndarray, columns: int) -> np.ndarray:
    """One picture `[rows * (H + 1) - 1, columns * (W + 1) - 1, C]` in [0, 1], a thin gap between images."""
    images = np.clip(_as_images(images), 0, 1)
    rows = -(-len(images) // columns)
    missing = rows * columns - len(images)
    padded = np.pad(images, [(0, missing), (0, 1), (0, 1), (0, 0)], constant_values=0.5)
    _, height, width, channels = padded.shape
    grid = padded.reshape(rows, columns, height, width, channels).swapaxes(1, 2)
    return grid.reshape(rows * height, columns * width, channels)[:-1, :-1]


def _middles(count: int, side: int) -> np.ndarray:
    """Where the images of a tiled picture have their middles; the last pixel of each cell is the gap."""
    return (np.arange(count) + 0.5) * side - 1


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
    figure.savefig(path, dpi=120, bbox_inches="tight", pad_inches=0.05)
