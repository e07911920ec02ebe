"""Figures of a run: `grid` and the like draw one, `save_grid` and the like write it as a PNG file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from jaxvae.data.attributes import class_name
from jaxvae.report.display import UNIT, Limits, displayable, tile, value_limits, with_note

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CELL = 0.5
"""Size of one image in a grid, in inches."""
LETTER = 0.075
"""Width of one letter of a row's name, in inches."""
FLATTEST, BAND = 1 / 8, 1 / 3
"""Height over width of an image's cell: the minimum, and that of a single row of pixels, which is stretched to it."""


def grid(
    images: ArrayLike,
    *,
    columns: int,
    title: str = "",
    row_labels: Sequence[str] = (),
    column_labels: Sequence[str] = (),
    limits: Limits = UNIT,
) -> Figure:
    """Draw images `[N, H, W, C]` or `[N, D]` row by row; rows and columns may have names.

    Black and white are `limits`; a note below the title mentions unusual limits and channels.
    """
    pictures, note = displayable(images, limits)
    picture, rows = tile(pictures, columns), -(-len(pictures) // columns)
    cell_height, cell_width = (picture.shape[0] + 1) // rows, (picture.shape[1] + 1) // columns
    width = CELL * columns + LETTER * max(map(len, row_labels), default=0)
    height = CELL * rows * _ratio(cell_height, cell_width) + (0.5 if column_labels else 0.3)
    figure, (axis,) = new_figure(1, width=width, height=height)
    show(axis, picture, aspect="auto" if cell_height == 2 else "equal", interpolation="nearest")
    axis.set_yticks(_middles(len(row_labels), cell_height), row_labels)
    axis.set_xticks(_middles(len(column_labels), cell_width), column_labels)
    axis.tick_params(length=0, labelsize=7, labeltop=True, labelbottom=False)
    axis.spines[:].set_visible(False)
    axis.set_title(with_note(title, note), fontsize=9)
    return figure


def save_grid(path: Path, images: ArrayLike, **options: Any) -> None:
    """Write a `grid`."""
    save_figure(grid(images, **options), path)


def save_strips(
    path: Path,
    originals: ArrayLike,
    images: ArrayLike,
    *,
    rows: Sequence[str],
    columns: Sequence[str],
    title: str,
    limits: Limits | None = None,
) -> None:
    """Draw originals `[R, ...]`, and to the right of each the images made from it, `[R, C, ...]`.

    Black and white are `limits`, those of the originals if not given.
    """
    limits = limits or value_limits(originals)
    strips = np.concatenate([np.asarray(originals)[:, None], np.asarray(images)], axis=1)
    flat = strips.reshape(-1, *strips.shape[2:])
    labels = ["image", *columns]
    save_grid(path, flat, columns=strips.shape[1], title=title, row_labels=rows, column_labels=labels, limits=limits)


def reconstructions(*stages: ArrayLike, title: str = "test images, and their reconstructions below them") -> Figure:
    """Draw images `[N, ...]`, and below each the results of one or more steps."""
    images = np.stack([np.asarray(stage) for stage in stages])
    columns = min(images.shape[1], 16)
    rows = images.shape[1] // columns
    interleaved = images[:, : rows * columns].reshape(len(images), rows, columns, *images.shape[2:]).swapaxes(0, 1)
    limits = value_limits(images[0])
    return grid(interleaved.reshape(-1, *images.shape[2:]), columns=columns, title=title, limits=limits)


def save_reconstructions(path: Path, *stages: ArrayLike, **options: Any) -> None:
    """Write `reconstructions`."""
    save_figure(reconstructions(*stages, **options), path)


def manifold(images: ArrayLike, *, limits: Limits = UNIT) -> Figure:
    """Draw decoded images over a square grid of the two-dimensional latent space."""
    images = np.asarray(images)
    columns = round(len(images) ** 0.5)
    return grid(images, columns=columns, title="decoded over the prior's quantiles", limits=limits)


def save_manifold(path: Path, images: ArrayLike, **options: Any) -> None:
    """Write a `manifold`."""
    save_figure(manifold(images, **options), path)


def latent_scatter(
    codes: ArrayLike,
    labels: np.ndarray | None,
    *,
    axes: tuple[str, str] = ("z0", "z1"),
    title: str = "posterior means of test images",
    names: Sequence[str] = (),
) -> Figure:
    """Plot posterior means `[N, 2]`, or a view of them, coloured by class, on equal axes; classes may have names."""
    figure, (axis,) = new_figure(1, width=5.5, height=5)
    codes = np.asarray(codes)
    labels = np.zeros(len(codes), np.int32) if labels is None else labels
    classes, numbers = np.unique(labels, return_inverse=True)
    colours = np.array([f"C{number % 10}" for number in range(len(classes))])
    first, second = codes.T
    axis.scatter(first, second, s=5, linewidths=0, c=colours[numbers])  # not by class: the last would hide the others
    if len(classes) > 1:
        for label, colour in zip(classes, colours):
            axis.scatter([], [], s=5, linewidths=0, color=colour, label=class_name(label, names))
        axis.legend(markerscale=3, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    axis.set(aspect="equal", xlabel=axes[0], ylabel=axes[1], title=title)
    return figure


def save_latent_scatter(path: Path, codes: ArrayLike, labels: np.ndarray | None, **options: Any) -> None:
    """Write a `latent_scatter`."""
    save_figure(latent_scatter(codes, labels, **options), path)


def _ratio(height: int, width: int) -> float:
    """Return height over width of a cell with its gap: the image's, within bounds; a row of pixels becomes a band."""
    return BAND if height == 2 else float(np.clip(height / width, FLATTEST, 1 / FLATTEST))


def _middles(count: int, side: int) -> np.ndarray:
    """Return the centres of the images in a tiled picture; the last pixel of each cell is the gap."""
    return (np.arange(count) + 0.5) * side - 1


def show(axis: Axes, picture: np.ndarray, **options: Any) -> None:
    """Draw a picture `[H, W, 1 or 3]` in [0, 1]; the options are those of `Axes.imshow`."""
    grey = picture.shape[-1] == 1
    axis.imshow(picture[..., 0] if grey else picture, cmap="gray", vmin=0, vmax=1, **options)


def new_figure(
    panels: int, *, width: float, height: float, rows: int = 1, **options: Any
) -> tuple[Figure, Sequence[Axes]]:
    """Make a figure of this size in inches, with panels side by side in one or more rows; options go to `subplots`."""
    # A plain Figure instead of pyplot's: no global state, no window, no choice of backend.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, [*figure.subplots(rows, panels, squeeze=False, **options).ravel()]


def save_figure(figure: Figure, path: Path) -> None:
    """Write the file, and make its folder if needed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120, bbox_inches="tight", pad_inches=0.05)
