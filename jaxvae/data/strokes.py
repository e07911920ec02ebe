"""Measures of an image of strokes: thickness and slant. Ink is 1, paper 0."""

from __future__ import annotations

import numpy as np


def slant(images: np.ndarray) -> np.ndarray:
    """Compute `[N]` tangents of the strokes' angle to the right of upright: the shear that would remove the slant.

        slant = sum ink * (x - x_mean) * (y_mean - y) / sum ink * (y - y_mean)^2

    It is 0 where there is no ink, or ink in one row only.

    Args:
        images: `[N, H, W]` or `[N, H, W, 1]` in [0, 1], row 0 at the top.

    >>> import numpy as np
    >>> print(slant(np.stack([np.eye(5), np.eye(5)[::-1]])))
    [-1.  1.]

    Reference: LeCun et al. 1998 (deslanting of digits by these moments).
    """
    ink = _ink(images)
    height, width = ink.shape[1:]
    mass = np.maximum(ink.sum(axis=(1, 2)), 1e-12)
    y, x = -np.arange(height, dtype=np.float64)[:, None], np.arange(width, dtype=np.float64)
    y = y - ((ink * y).sum(axis=(1, 2)) / mass)[:, None, None]
    x = x - ((ink * x).sum(axis=(1, 2)) / mass)[:, None, None]
    vertical = (ink * y**2).sum(axis=(1, 2))
    return (ink * x * y).sum(axis=(1, 2)) / np.where(vertical > 1e-9, vertical, np.inf)


def stroke_width(images: np.ndarray) -> np.ndarray:
    """Compute `[N]` mean thicknesses of the strokes, in pixels: twice their area over the length of their outline.

    A bar of width w and length l >> w has the area w l and the outline 2 l. The length of the outline is the grey
    values' total variation, sum |gradient of ink|, which resolves fractions of a pixel. Contrast is doubled first,
    because the thickness of blurred images would be overestimated. It is 0 where there is no ink.

    Args:
        images: `[N, H, W]` or `[N, H, W, 1]` in [0, 1].
    """
    ink = np.clip(2 * _ink(images) - 0.5, 0, 1)
    ink = np.pad(ink, [(0, 0), (1, 1), (1, 1)])
    # Differences of the four corners of each 2x2 window give both components of the gradient at one point.
    down = (ink[:, 1:, 1:] + ink[:, 1:, :-1] - ink[:, :-1, 1:] - ink[:, :-1, :-1]) / 2
    across = (ink[:, 1:, 1:] + ink[:, :-1, 1:] - ink[:, 1:, :-1] - ink[:, :-1, :-1]) / 2
    outline = np.hypot(down, across).sum(axis=(1, 2))
    return 2 * ink.sum(axis=(1, 2)) / np.maximum(outline, 1e-12)


def _ink(images: np.ndarray) -> np.ndarray:
    return np.asarray(images, np.float64).reshape(images.shape[:3])
