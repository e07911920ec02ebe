"""Presentations of examples, which a space chooses and the reports draw."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np

from jaxvae.types import Space


class Pictures(NamedTuple):
    """Images in a grid."""

    values: np.ndarray
    """`[N, H, W, C]`, or `[N, D]` for squares and bands."""


class Curves(NamedTuple):
    """Curves over time or over columns."""

    values: np.ndarray
    """`[N, T]`, or `[N, T, C]` with one curve for each channel."""


class Heat(NamedTuple):
    """Numbers as brightness, one example a row."""

    values: np.ndarray
    """`[N, D]`."""


class Lines(NamedTuple):
    """Lines of text."""

    lines: tuple[str, ...]


class Rolls(NamedTuple):
    """Melodies as piano rolls."""

    notes: tuple[np.ndarray, ...]
    """`[n, 3]` start and length in steps, MIDI pitch, of each melody."""
    length: int
    """Number of steps."""
    steps_per_bar: int


class Cells(NamedTuple):
    """Table of values."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


Shown: TypeAlias = Pictures | Curves | Heat | Lines | Rolls | Cells


def noun(space: Space) -> str:
    """Return the word for several examples of a space."""
    return "images" if space.kind in ("binary", "ink", "grey") or len(space.shape) == 3 else "examples"
