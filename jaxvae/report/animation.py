"""Moving pictures of a run, written as GIF files."""

from __future__ import annotations

import math
from collections.abc import Collection
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from jaxvae.report.figures import tile

SIDE = 240
"""Pixels that the longer side of a film has at least."""
FRAME, REST = 60, 600
"""Milliseconds of a frame, and of one on which the film rests."""


def save_gif(path: Path, images: ArrayLike, *, rests: Collection[int] = ()) -> None:
    """A film that runs forth and back for ever, in large pixels.

    Args:
        path: of the file; its folder is made where there is none.
        images: `[F, N, H, W, C]` or `[F, N, D]` in [0, 1], F frames of N images side by side.
        rests: the frames on which it stands still for a moment, besides the first and the last.
    """
    from PIL import Image

    images = np.asarray(images, np.float32)
    pictures = [Image.fromarray(_pixels(frame)) for frame in images]
    last = len(pictures) - 1
    order = [*range(last + 1), *range(last - 1, 0, -1)]
    durations = [REST if number in (0, last, *rests) else FRAME for number in order]
    path.parent.mkdir(parents=True, exist_ok=True)
    first, *others = (pictures[number] for number in order)
    first.save(path, save_all=True, append_images=others, duration=durations, loop=0)


def between(values: ArrayLike, num: int) -> np.ndarray:
    """Values `[N]`, and those of the frames on the way from each to the next in `num` steps: `[(N - 1) num + 1]`.

    >>> print(between([0.0, 1.0, 5.0], 2))
    [0.  0.5 1.  3.  5. ]
    """
    values = np.asarray(values)
    last = len(values) - 1
    return np.interp(np.linspace(0, last, last * num + 1), np.arange(last + 1), values)


def _pixels(images: np.ndarray) -> np.ndarray:
    """Images `[N, ...]` as one picture of bytes, `[H, W]` or `[H, W, 3]`, every pixel a square of several."""
    picture = tile(images, columns=math.ceil(len(images) ** 0.5))
    times = math.ceil(SIDE / max(picture.shape[:2]))
    picture = picture.repeat(times, axis=0).repeat(times, axis=1)
    pixels = np.round(255 * picture).astype(np.uint8)
    return pixels[..., 0] if pixels.shape[-1] == 1 else pixels
