"""New arrays: pixels and real numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from jaxvae.data.preparation import Preparation, prepare_rows
from jaxvae.data.scaling import Scaling
from jaxvae.data.sources.arrays import check_exact
from jaxvae.data.sources.pictures import check_values
from jaxvae.data.spaces import Pixels
from jaxvae.data.spaces.values import full_scale
from jaxvae.errors import InputError
from jaxvae.types import Space


def pixel_rows(what: str, image: np.ndarray, facts: Mapping[str, Any], space: Pixels) -> np.ndarray:
    """Return `[N, ...]` pixels as they are stored, uint8 or floats in [0, 1].

    Raises:
        InputError: they are of another size, or have other values than the run's.
    """
    rows = of_shape(what, check_values(what, image), space.shape, preparation_of(facts))
    low, high, white = rows.min(), rows.max(), full_scale(rows)
    if low < 0 or high > white:
        raise InputError(f"{what} holds values from {low:g} to {high:g}, the run's are in [0, 1]; scale them")
    if white == 255 and high == 1:
        raise InputError(f"{what} is uint8 with no value above 1; white is 255: multiply by 255")
    if space.kind == "binary" and not ((rows == 0) | (rows == white)).all():
        raise InputError(f"{what} holds shades, the run's pixels are 0 or 1; give x > 0.5, as floats")
    return rows


def real_rows(
    what: str, array: np.ndarray, facts: Mapping[str, Any], space: Space, scaling: Scaling | None
) -> np.ndarray:
    """Return `[N, ...]` real numbers before their scaling: floats, or uint8 pixels, which mean [0, 1].

    Raises:
        InputError: they are of another size, or hold NaN, or uint8 where the run's were no pixels.
    """
    if array.dtype == np.uint8:
        if not _were_pixels(scaling):
            raise InputError(f"{what} is uint8, the run's values go beyond [0, 1]; give them as floats, as in training")
    elif array.dtype.kind in "iu" and len(space.shape) < 3:
        check_exact(what, array)
        array = array.astype(np.float32)
    return of_shape(what, check_values(what, array), space.shape, preparation_of(facts))


def _were_pixels(scaling: Scaling | None) -> bool:
    """Return True for a mean and deviation, or a range, that values in [0, 1] can have."""
    return scaling is not None and bool(((scaling.shift >= 0) & (scaling.shift <= 1) & (scaling.factor <= 1)).all())


def of_shape(what: str, rows: np.ndarray, shape: tuple[int, ...], preparation: Preparation | None = None) -> np.ndarray:
    """Return `[N, ...]` rows of the shape of the run's examples; images of another size are prepared as its were.

    Raises:
        InputError: they have another shape, or there is none.
    """
    found = rows.shape
    if len(shape) == 3 and rows.ndim == 3 and found != shape:
        rows = rows[..., None]
    if preparation is not None and preparation.changes_size and rows.ndim == 4 and rows.shape[1:] != shape:
        rows = prepare_rows(rows, preparation, what)[:]
    if rows.shape[1:] != shape:
        remedy = "give x[None]" if found in (shape, shape[:2]) else "bring them to that shape"
        raise InputError(f"{what} has shape {found}, the run's examples are {shape}, behind their number; {remedy}")
    if not len(rows):
        raise InputError(f"{what} holds no examples; give at least 1")
    return rows


def preparation_of(facts: Mapping[str, Any]) -> Preparation:
    """Return the preparation of images that the facts name, such as `64x48 Pillow LANCZOS`."""
    done = facts.get("preparation", {})
    width_height = [int(side) for side in done["resize"].split()[0].split("x")] if "resize" in done else []
    crop = int(done["crop"].split("x")[0]) if "crop" in done else None
    colour = {"background": done["background"]} if "background" in done else {}
    return Preparation(resize=tuple(width_height[::-1]) or None, crop=crop, **colour)
