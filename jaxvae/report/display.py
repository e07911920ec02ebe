"""Display of examples of any shape: arrangement of channels, and values shown as black and white."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

Limits: TypeAlias = tuple[float, float]
"""Values that are shown as black and white."""
UNIT: Limits = (0.0, 1.0)


class Arrangement(NamedTuple):
    """Arrangement of an image's channels in a picture."""

    panels: int
    """Number of grey pictures side by side, one for each channel; 1 where all channels make one picture."""
    colours: int
    """Number of channels of a picture: 1 for grey, 3 for red, green and blue."""
    note: str
    """Note for a title; empty for the usual arrangement."""


def arrangement(channels: int) -> Arrangement:
    """Arrange channels: 1 and 3 as grey and RGB, 2 side by side, the first three of more as RGB.

    >>> arrangement(2)
    Arrangement(panels=2, colours=1, note='2 channels side by side')
    """
    if channels in (1, 3):
        return Arrangement(1, channels, "")
    if channels == 2:
        return Arrangement(2, 1, "2 channels side by side")
    return Arrangement(1, 3, f"first three of {channels} channels as colours")


def value_limits(originals: ArrayLike) -> Limits:
    """Choose the values shown as black and white: 0 and 1, or minimum and maximum where any value lies outside.

    Args:
        originals: examples of the data set, `[N, ...]`; a model's outputs may exceed their range.

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
        Pictures `[N, H, W, 1 or 3]` in [0, 1], and a note for the title, which may be empty.
    """
    images = _as_images(np.asarray(images, np.float32))
    low, high = limits
    panels, colours, note = arrangement(images.shape[-1])
    if panels > 1:
        images = np.concatenate(np.split(images, panels, axis=-1), axis=2)
    notes = [note, "" if limits == UNIT else f"black is {low:.3g}, white {high:.3g}"]
    return np.clip((images[..., :colours] - low) / (high - low), 0, 1), ", ".join(filter(None, notes))


def tile(images: ArrayLike, columns: int, limits: Limits = UNIT) -> np.ndarray:
    """Tile images with thin gaps to `[rows * (H + 1) - 1, columns * (W + 1) - 1, 1 or 3]`, in [0, 1]."""
    pictures, _ = displayable(images, limits)
    rows = -(-len(pictures) // columns)
    missing = rows * columns - len(pictures)
    padded = np.pad(pictures, [(0, missing), (0, 1), (0, 1), (0, 0)], constant_values=0.5)
    _, height, width, channels = padded.shape
    grid = padded.reshape(rows, columns, height, width, channels).swapaxes(1, 2)
    return grid.reshape(rows * height, columns * width, channels)[:-1, :-1]


def with_note(title: str, note: str) -> str:
    """Append a note on the pictures below a title, if there is one."""
    return f"{title}\n({note})" if title and note else title or note


def _as_images(examples: np.ndarray) -> np.ndarray:
    if examples.ndim == 4:
        return examples
    count, length = examples.shape
    side = round(length**0.5)
    return examples.reshape((count, side, side, 1) if side * side == length else (count, 1, length, 1))
