"""Figures of latent spaces side by side, and along a line: codes and decoded images."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from jaxvae.report.display import UNIT, Limits, displayable, tile, with_note
from jaxvae.report.figures import show

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NARROW = 4.0
"""Half the side of the plane shown if the codes fit into it: 4 of the prior's standard deviations."""
GAP, LEFT, TOP = 0.1, 0.95, 0.28
"""Widths of gaps and left margin, and height of the top margin, in inches."""


class Panel(NamedTuple):
    """Column of one model."""

    title: str
    codes: np.ndarray
    """`[N, 2]` codes."""
    labels: np.ndarray
    """`[N]` classes of the codes."""
    grid: np.ndarray
    """`[C * C, ...]` images decoded at the prior's quantiles."""
    samples: np.ndarray
    """`[R * C, ...]` images decoded from samples of the prior."""
    paths: np.ndarray
    """`[P * C, ...]` images decoded along P paths."""


class Line(NamedTuple):
    """Block of one model with one latent dimension."""

    title: str
    codes: np.ndarray
    """`[N]` codes, in ascending order."""
    labels: np.ndarray
    """`[N]` classes of the codes."""
    decoded: Mapping[str, np.ndarray]
    """Images decoded at `codes` `[N, ...]`, `halfway` to the next `[N - 1, ...]`, and over the `prior` `[M, ...]`."""


def save_panels(
    path: Path, panels: Sequence[Panel], *, width: float = 2.4, limits: Limits = UNIT, names: Sequence[str] = ()
) -> None:
    """Draw one column per panel: codes by class, on equal axes; the grid; samples; paths. Classes may have names."""
    columns = round(len(panels[0].grid) ** 0.5)
    pictures = [[tile(images, columns, limits) for images in panel[3:]] for panel in panels]
    _, note = displayable(panels[0].grid[:1], limits)
    heights = [width, *(width * picture.shape[0] / picture.shape[1] for picture in pictures[0])]
    figure = _blank(LEFT + (width + 2 * GAP) * len(panels), TOP + sum(heights) + GAP * (len(heights) + 1))
    for column, (panel, below) in enumerate(zip(panels, pictures)):
        left = LEFT + column * (width + 2 * GAP)
        _draw_codes(_axes(figure, left, TOP, width, width), panel)
        for row, picture in enumerate(below, start=1):
            top = TOP + sum(heights[:row]) + GAP * (row + 1)
            axis = _axes(figure, left, top, width, heights[row])
            _draw_picture(axis, picture)
            if column == 0:
                name = ("decoded over\nthe prior's\nquantiles", "prior\nsamples", "from image\nto image")[row - 1]
                _name(axis, with_note(name, _wrapped(note) if row == 1 else ""))
    _name(figure.axes[0], "codes of test\nimages; rings:\nthe prior's\n1 and 2 sigma")
    _name_classes(figure, np.unique(panels[0].labels), names, TOP + (0.7 if names else 0.85) * width)
    _save(figure, path, coloured=pictures[0][0].shape[-1] == 3)


def save_lines(
    path: Path, lines: Sequence[Line], *, columns: int = 16, width: float = 7.6, limits: Limits = UNIT
) -> None:
    """Draw one block per line: codes as ticks; images at the middle ones, halfway between, and over the prior."""
    cell = width / (columns + 0.5)
    block = 3 * cell + 1.05
    figure = _blank(LEFT + width + GAP, block * len(lines))
    shown, note = displayable(lines[0].decoded["codes"][:1], limits)
    for number, line in enumerate(lines):
        top = TOP + number * block
        _draw_ticks(_axes(figure, LEFT, top, width, 0.25), line)
        first = max(0, (len(line.codes) - columns) // 2)
        over_prior = (np.arange(columns) + 0.5) / columns * len(line.decoded["prior"])
        rows = (
            ("at codes", line.decoded["codes"][first : first + columns], 0.0),
            ("halfway", line.decoded["halfway"][first : first + columns], cell / 2),
            ("over the\nprior's mass", line.decoded["prior"][over_prior.astype(int)], 0.0),
        )
        for row, (name, images, indent) in enumerate(rows):
            row_top = top + 0.52 + row * (cell + 0.03) + (0.05 if row == 2 else 0)
            axis = _axes(figure, LEFT + indent, row_top, cell * len(images), cell)
            _draw_picture(axis, tile(images, len(images), limits))
            _name(axis, with_note(name, _wrapped(note) if row == 0 else ""), left=-indent)
    _save(figure, path, coloured=shown.shape[-1] == 3)


def _blank(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=100)


def _save(figure: Figure, path: Path, *, coloured: bool) -> None:
    """Save with 32 greys and each class's colour in 4 strengths, at a fifth of the size; coloured images unchanged."""
    from matplotlib import color_sequences
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    greys = np.linspace(0, 1, 32)[:, None] * np.ones(3)
    strengths = np.array([1, 0.75, 0.5, 0.25])[:, None, None]
    colours = strengths * np.array(color_sequences["tab10"]) + 1 - strengths
    palette = Image.new("P", (1, 1))
    palette.putpalette((255 * np.concatenate([greys, colours.reshape(-1, 3)])).round().astype(np.uint8).tobytes())
    picture = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    path.parent.mkdir(parents=True, exist_ok=True)
    if coloured:
        picture.save(path, optimize=True)
        return
    picture.quantize(palette=palette, dither=Image.Dither.NONE).save(path, optimize=True)


def _axes(figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """Add axes at a position in inches from the top left, without gaps between rows of different heights."""
    across, down = figure.get_size_inches()
    return figure.add_axes((left / across, 1 - (top + height) / down, width / across, height / down))


def _name(axis: Axes, text: str, left: float = 0.0) -> None:
    """Write the row's name to the left of it."""
    axis.annotate(
        text, (0, 0.5), (72 * (left - GAP), 0), "axes fraction", "offset points", ha="right", va="center", fontsize=8
    )


def _wrapped(note: str) -> str:
    """Wrap a note to the left margin."""
    return "\n".join(textwrap.wrap(note, 14))


def _name_classes(figure: Figure, classes: np.ndarray, names: Sequence[str], top: float) -> None:
    """Write the classes in their colours in the left margin: numbers in rows of five, names one below the other."""
    across, down = figure.get_size_inches()
    for number, label in enumerate(classes[:10]):
        row, column = (number, 0) if names else divmod(number, 5)
        text = names[label][:14] if names else str(label)
        place = (LEFT - 0.75 + 0.14 * column) / across, 1 - (top + (0.11 if names else 0.17) * row) / down
        figure.text(*place, text, color=f"C{label % 10}", fontsize=7 if names else 9, weight="bold")


def _draw_ticks(axis: Axes, line: Line) -> None:
    low, high = min(line.codes[0], -3.0), max(line.codes[-1], 3.0)
    z = np.linspace(low, high, 200)
    axis.fill_between(z, np.exp(-(z**2) / 2), color="0.85", linewidth=0)
    axis.vlines(line.codes, 0, 1, colors=[f"C{label % 10}" for label in line.labels], linewidth=1)
    axis.set(xlim=(low, high), ylim=(0, 1), yticks=[])
    axis.spines[["left", "right", "top"]].set_visible(False)
    axis.tick_params(labelsize=7, pad=1)
    axis.set_title(line.title, fontsize=10, pad=3)
    _name(axis, "codes, and\nthe prior")


def _draw_codes(axis: Axes, panel: Panel) -> None:
    from matplotlib.patches import Circle

    farthest = np.quantile(np.abs(panel.codes).max(axis=1), 0.995)
    limit = NARROW if farthest < NARROW else float(np.ceil(1.05 * farthest))
    size = 2 if len(panel.codes) > 1000 else 8
    first, second = panel.codes.T
    axis.scatter(first, second, s=size, linewidths=0, c=panel.labels % 10, cmap="tab10", vmin=-0.5, vmax=9.5)
    for radius in (1, 2):
        axis.add_patch(Circle((0, 0), radius, fill=False, linewidth=0.8))
    axis.set(aspect="equal", xlim=(-limit, limit), ylim=(-limit, limit), title=panel.title)
    axis.set(xticks=[], yticks=[])
    axis.title.set_fontsize(10)
    axis.text(0.98, 0.02, f"\N{PLUS-MINUS SIGN}{limit:g}", transform=axis.transAxes, ha="right", fontsize=7)


def _draw_picture(axis: Axes, picture: np.ndarray) -> None:
    show(axis, picture, interpolation="antialiased", aspect="auto")
    axis.set_axis_off()
