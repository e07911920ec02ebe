"""Lines of an evaluation: a number each, with its protocol."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Line(NamedTuple):
    """One number of an evaluation, with its protocol."""

    name: str
    """Name in evaluation.json."""
    estimator: str
    samples: int
    images: int
    value: float
    standard_error: float = float("nan")
    """Standard error of the mean over images; NaN where there is none."""


def text_table(lines: list[Line], noun: str = "images") -> str:
    """Format a table for the terminal, with a line for each number; `noun` heads the column of examples."""
    width = max(len(noun), 6)
    head = f"{'':24}{'value':>11}  {'± s.e.':>8}  {'samples':>7}  {noun:>6}  estimator"

    def row(line: Line) -> str:
        value = f"{line.value:d}" if isinstance(line.value, int) else f"{line.value:.4f}"
        error = "" if np.isnan(line.standard_error) else f"{line.standard_error:.4f}"
        return (
            f"{line.name:24}{value:>11}  {error:>8}  {line.samples or '':>7}  {line.images:>{width}}  {line.estimator}"
        )

    return "\n".join([head, *map(row, lines)])
