"""Changes of images, as a figure with a row for each and as an animation of all."""

from __future__ import annotations

import numpy as np

from jaxvae.report import animation, figures
from jaxvae.report.gallery import Gallery
from jaxvae.runs.trained import Trained

FRAMES = 30
"""Approximate number of frames of an animation from one end to the other."""


def frames_each(num: int) -> int:
    """Return the number of frames of an animation between two of the `num` images of its figure."""
    return max(FRAMES // (num - 1), 1)


def save_film(
    trained: Trained,
    gallery: Gallery,
    name: str,
    originals: np.ndarray,
    film: np.ndarray,
    rows: list[str],
    columns: list[str],
    title: str,
) -> None:
    """Save frames `[R, F, ...]` as a figure with a row for each of R originals, and as an animation of all R."""
    limits = trained.limits()
    with gallery.figure(f"{name}.png") as path:
        stills = film[:, :: frames_each(len(columns))]
        title = trained.titled(title)
        figures.save_strips(path, originals, stills, rows=rows, columns=columns, title=title, limits=limits)
    with gallery.figure(f"{name}.gif") as path:
        animation.save_gif(path, film.swapaxes(0, 1), labels=rows, limits=limits)
