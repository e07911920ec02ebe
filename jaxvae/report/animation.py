"""Animations of a run, written as GIF files."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from jaxvae.report.display import UNIT, Limits, displayable, tile

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 240
"""Least length of the longer side of an animation, in pixels."""
FRAME, REST = 60, 600
"""Durations of a frame, and of one at which the animation pauses, in milliseconds."""
TEXT = 12
"""Height of the band for the label below an image, in pixels."""


def save_gif(
    path: Path,
    images: ArrayLike,
    *,
    rests: Collection[int] = (),
    labels: Sequence[str] = (),
    limits: Limits = UNIT,
    columns: int | None = None,
    back: bool = True,
) -> None:
    """Save an animation that runs forth and back in a loop, in large pixels.

    Args:
        path: path of the file; its folder is made if needed.
        images: `[F, N, H, W, C]` or `[F, N, D]`, F frames of N images side by side.
        rests: frames at which it pauses, besides the first and the last.
        labels: N labels below the images.
        limits: values that are shown as black and white.
        columns: number of images in a row; as many as there are rows if not given.
        back: run back too; False begins anew at the end, where time has a direction.
    """
    images = np.asarray(images, np.float32)
    pictures = [_picture(frame, labels, limits, columns or math.ceil(len(frame) ** 0.5)) for frame in images]
    last = len(pictures) - 1
    order = [*range(last + 1), *range(last - 1, 0, -1)] if back else [*range(last + 1)]
    durations = [REST if number in (0, last, *rests) else FRAME for number in order]
    path.parent.mkdir(parents=True, exist_ok=True)
    first, *others = (pictures[number] for number in order)
    first.save(path, save_all=True, append_images=others, duration=durations, loop=0)


def between(values: ArrayLike, num: int) -> np.ndarray:
    """Interpolate between values `[N]`, with `num` steps from each to the next: `[(N - 1) num + 1]`.

    >>> print(between([0.0, 1.0, 5.0], 2))
    [0.  0.5 1.  3.  5. ]
    """
    values = np.asarray(values)
    last = len(values) - 1
    return np.interp(np.linspace(0, last, last * num + 1), np.arange(last + 1), values)


def _picture(images: np.ndarray, labels: Sequence[str], limits: Limits, columns: int) -> Image:
    """Tile images `[N, ...]` to one picture, grey or coloured, with every pixel enlarged to a square."""
    from PIL import Image

    shown, _ = displayable(images, limits)
    times = math.ceil(SIDE / max(tile(shown, columns).shape[:2]))
    band = math.ceil(TEXT / times) if labels else 0
    picture = tile(np.pad(shown, [(0, 0), (0, band), (0, 0), (0, 0)], constant_values=1.0), columns)
    picture = picture.repeat(times, axis=0).repeat(times, axis=1)
    pixels = np.round(255 * picture).astype(np.uint8)
    drawn = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    height, width = (times * (side + 1) for side in (shown.shape[1] + band, shown.shape[2]))
    for number, label in enumerate(labels):
        row, column = divmod(number, columns)
        _write(drawn, label, left=column * width, bottom=(row + 1) * height - times, width=width - times)
    return drawn


def _write(picture: Image, label: str, *, left: int, bottom: int, width: int) -> None:
    """Write a label in black at the left of its band, cut to fit."""
    from PIL import ImageDraw, ImageFont

    font, draw = ImageFont.load_default(), ImageDraw.Draw(picture)
    while label and font.getlength(label) > width:
        label = label[:-1]
    draw.text((left + 1, bottom - TEXT), label, fill="black", font=font)
