"""Examples of any shape as pictures: how channels are drawn, and which values are black and white."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

Limits: TypeAlias = tuple[float, float]
"""Values that are drawn black and white."""
UNIT: Limits = (0.0, 1.0)


class Arrangement(NamedTuple):
    """The way in which an image's channels are drawn."""

    panels: int
    """Grey pictures side by side, one for each channel; 1 where all channels make one picture."""
    colours: int
    """Channels of a picture that is drawn: 1 grey, 3 red, green and blue."""
    note: str
    """Words for a title; empty where channels are drawn as anyone expects."""


def arrangement(channels: int) -> Arrangement:
    """Arrange channels: 1 and 3 as grey and RGB, 2 side by side, of more the first three as colours.

    >>> arrangement(2)
    Arrangement(panels=2, colours=1, note='2 channels side by side')
    """
    if channels in (1, 3):
        return Arrangement(1, channels, "")
    if channels == 2:
        return Arrangement(2, 1, "2 channels side by side")
    return Arrangement(1, 3, f"first three of {channels} channels as colours")


def value_limits(originals: ArrayLike) -> Limits:
    """Choose the values that are black and white: 0 and 1, or the least and the greatest where any lies outside.

    Args:
        originals: examples of the data set, `[N, ...]`; what a model makes of them may reach further.

    >>> value_limits([[0.2, 0.9]]), value_limits([[-2.0, 3.0]])
    ((0.0, 1.0), (-2.0, 3.0))
    """
    values = np.asarray(originals, np.float32)
    low, high = float(values.min()), float(values.max())
    if low >= 0 and high <= 1:
        return UNIT
    return (low, high) if low < high else (low - 0.5, low + 0.5)


def displayable(images: ArrayLike, limits: Limits = UNIT) -> tuple[np.ndarray, str]:
    """Make pictures of examples.

    Args:
        images: `[N, H, W, C]` or `[N, D]`; vectors become squares where they can, else single rows.
        limits: values that become 0 and 1.

    Returns:
        Pictures `[N, H, W, 1 or 3]` in [0, 1], and a note for the title, empty where there is nothing to say.
    """
    images = _as_images(np.asarray(images, np.float32))
    low, high = limits
    panels, colours, note = arrangement(images.shape[-1])
    if panels > 1:
        images = np.concatenate(np.split(images, panels, axis=-1), axis=2)
    notes = [note, "" if limits == UNIT else f"black is {low:.3g}, white {high:.3g}"]
    return np.clip((images[..., :colours] - low) / (high - low), 0, 1), ", ".join(filter(None, notes))


def tile(images: ArrayLike, columns: int, limits: Limits = UNIT) -> np.ndarray:
    """One picture `[rows * (H + 1) - 1, columns * (W + 1) - 1, 1 or 3]` in [0, 1], a thin gap between images."""
    pictures, _ = displayable(images, limits)
    rows = -(-len(pictures) // columns)
    missing = rows * columns - len(pictures)
    padded = np.pad(pictures, [(0, missing), (0, 1), (0, 1), (0, 0)], constant_values=0.5)
    _, height, width, channels = padded.shape
    grid = padded.reshape(rows, columns, height, width, channels).swapaxes(1, 2)
    return grid.reshape(rows * height, columns * width, channels)[:-1, :-1]


def with_note(title: str, note: str) -> str:
    """A title, and below it what must be said of the pictures."""
    return f"{title}\n({note})" if title and note else title or note


def _as_images(examples: np.ndarray) -> np.ndarray:
    if examples.ndim == 4:
        return examples
    count, length = examples.shape
    side = round(length**0.5)
    return examples.reshape((count, side, side, 1) if side * side == length else (count, 1, length, 1))
