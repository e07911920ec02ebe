"""Examples in files, as their space presents them: pictures, curves, piano rolls, lines of text, cells of a table."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from jaxvae.data.spaces.shown import Cells, Curves, Heat, Lines, Pictures, Rolls, Shown
from jaxvae.errors import InputError
from jaxvae.report.display import value_limits
from jaxvae.report.figures import grid, new_figure, reconstructions, save_figure
from jaxvae.report.rolls import rolls

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PANELS = (4, 4)
"""Rows and columns of the panels with curves."""
_COLUMNS = 16


def suffix(shown: Shown) -> str:
    """Return the end of the name of a presentation's file."""
    return {Lines: ".txt", Cells: ".csv"}.get(type(shown), ".png")


def save(path: Path, stages: Sequence[Shown], *, names: Sequence[str], title: str) -> None:
    """Write examples to a file, each with the results of further steps beside or below it.

    Args:
        path: path of the file, whose end is `suffix`.
        stages: presentations of the same examples, such as test examples and their reconstructions.
        names: names of the stages.
        title: title of a figure.
    """
    if (kind := type(stages[0])) in _WRITERS:
        path.parent.mkdir(parents=True, exist_ok=True)
        _WRITERS[kind](path, stages, names)
    else:
        save_figure(figure(stages, names=names, title=title), path)


def figure(stages: Sequence[Shown], *, names: Sequence[str], title: str) -> Figure:
    """Draw examples, each with the results of further steps beside or below it.

    Raises:
        InputError: text and tables are no pictures.
    """
    if (kind := type(stages[0])) not in _FIGURES:
        raise InputError("examples: text and tables are read, not drawn; print them")
    return _FIGURES[kind](stages, names, title)


def _pictures(stages: Sequence[Pictures], names: Sequence[str], title: str) -> Figure:
    if len(stages) > 1:
        return reconstructions(*(stage.values for stage in stages), title=title)
    return grid(stages[0].values, columns=_COLUMNS, title=title, limits=value_limits(stages[0].values))


def _curves(stages: Sequence[Curves], names: Sequence[str], title: str) -> Figure:
    """Plot the first examples in panels; channels have colours, and steps line styles."""
    figure, _ = new_figure(1, width=10, height=6)
    figure.clear()
    rows, columns = _PANELS
    axes = figure.subplots(rows, columns, sharex=True).ravel()
    curves = [stage.values.reshape(*stage.values.shape[:2], -1) for stage in stages]
    for number, axis in enumerate(axes):
        if number >= len(curves[0]):
            axis.set_axis_off()
            continue
        for values, name, style in zip(curves, names, ("-", "--", ":")):
            for channel, curve in enumerate(values[number].T):
                axis.plot(curve, style, color=f"C{channel % 10}", linewidth=1, label=None if channel else name)
        axis.tick_params(labelsize=7)
    if len(stages) > 1:
        axes[0].legend(fontsize=7, frameon=False)
    figure.suptitle(title, fontsize=9)
    return figure


def _heat(stages: Sequence[Heat], names: Sequence[str], title: str) -> Figure:
    """Draw one example a row, on one scale of brightness; columns are in the order of their sums at the first stage."""
    figure, axes = new_figure(len(stages), width=4.5 * len(stages), height=4)
    order = np.argsort(-stages[0].values.sum(axis=0), kind="stable")
    values = [np.log1p(np.maximum(stage.values[:, order], 0)) for stage in stages]
    for axis, part, name in zip(axes, values, names):
        picture = axis.imshow(part, aspect="auto", interpolation="nearest", vmin=0, vmax=max(v.max() for v in values))
        axis.set(title=name, xlabel="columns, by their sum", ylabel="examples")
    figure.colorbar(picture, ax=list(axes), label="log(1 + value)")
    figure.suptitle(title, fontsize=9)
    return figure


def _save_lines(path: Path, stages: Sequence[Lines], names: Sequence[str]) -> None:
    """Write a line for each example, or a block of lines with the results of each step."""
    blocks = ["\n".join(lines) for lines in zip(*(stage.lines for stage in stages))]
    path.write_text(("\n\n" if len(stages) > 1 else "\n").join(blocks) + "\n", encoding="utf-8")


def _save_cells(path: Path, stages: Sequence[Cells], names: Sequence[str]) -> None:
    """Write a row for each example or, with several steps, for each step of each example."""
    several = len(stages) > 1
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow([*(("example", "row") if several else ()), *stages[0].columns])
        for number, rows in enumerate(zip(*(stage.rows for stage in stages))):
            for name, row in zip(names, rows):
                writer.writerow([*((number, name) if several else ()), *row])


_FIGURES: dict[type, Callable[[Sequence[Any], Sequence[str], str], Figure]] = {
    Pictures: _pictures,
    Curves: _curves,
    Heat: _heat,
    Rolls: rolls,
}
_WRITERS: dict[type, Callable[[Path, Sequence[Any], Sequence[str]], None]] = {Lines: _save_lines, Cells: _save_cells}
