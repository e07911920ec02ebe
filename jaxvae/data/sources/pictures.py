"""Images in arrays: pixels, or the bytes of image files one after another."""

from __future__ import annotations

import io
import itertools
from functools import partial
from typing import Any

import numpy as np

from jaxvae.data.headers import read_header
from jaxvae.data.images import Page, image_rows
from jaxvae.data.memory import check_fits
from jaxvae.data.preparation import Preparation, prepare_rows
from jaxvae.data.rows import Rows, blocks, mapped, num_bytes
from jaxvae.data.sources.arrays import converted
from jaxvae.data.sources.axes import misplaced_axes
from jaxvae.data.survey import Survey
from jaxvae.errors import InputError

ENCODED = ("png", "jpeg", "webp")
"""Names of arrays that hold image files."""


def resized(image: Rows, preparation: Preparation, name: str) -> Rows:
    """Resize and crop images `[N, H, W, C]`, if a size is given; those on disk whenever they are read."""
    if not preparation.changes_size:
        return image
    rows = prepare_rows(image, preparation, name)
    return rows[:] if isinstance(image, np.ndarray) else rows


def check_image(what: str, image: Rows) -> Rows:
    """Convert an array of images to the form of a split, or refuse it; one on disk is read through once."""

    def refuse(found: str, remedy: str) -> InputError:
        return InputError(f"{what} {found}; {remedy}")

    if len(image.shape) not in (2, 3, 4):
        raise refuse(f"has shape {image.shape}", "give [N, H, W], [N, H, W, C] or [N, D]")
    if 0 in image.shape:
        raise refuse(f"is empty: {image.shape}", "give at least 2 examples")
    if fault := misplaced_axes(image.shape):
        raise refuse(f"has shape {image.shape}", fault)
    if image.dtype == np.uint8 and all(block.max() <= 1 for block in blocks(image)):
        raise refuse("is uint8 with no value above 1", "white is 255: multiply by 255")
    image = check_values(what, image)
    shape = image.shape
    return mapped(image, lambda x: x[..., None], (*shape, 1), image.dtype) if len(shape) == 3 else image


def check_values(what: str, image: Any) -> Any:
    """Return rows of uint8 as they are and of floats in float32, or refuse the values."""
    if image.dtype == np.uint8:
        return image
    if image.dtype.kind != "f":
        raise InputError(f"{what} has dtype {image.dtype}; {_number_advice(image)}")
    if not _is_finite(image):
        raise InputError(f"{what} holds NaN or infinity; clean it first")
    image = converted(image, np.float32)
    if not _is_finite(image):
        raise InputError(f"{what} holds floats that float32 cannot; scale them")
    return image


def _is_finite(image: Rows) -> bool:
    return all(np.isfinite(block).all() for block in blocks(image))


def _number_advice(image: Rows) -> str:
    """Return advice on the conversion of other numbers to uint8 or floats."""
    if image.dtype.kind == "b":
        return "give numpy.uint8(255 * image)"
    if image.dtype == np.uint16:
        return "give numpy.float32(image / 65535), where white is 65535"
    if image.dtype.kind in "iu" and 1 < max(b.max() for b in blocks(image)) <= 255 and _is_positive(image):
        return "give image.astype(numpy.uint8)"
    return "give uint8, or floats in [0, 1]"


def _is_positive(image: Rows) -> bool:
    return all(block.min() >= 0 for block in blocks(image))


def decode(
    what: str, kind: str, content: np.ndarray, offset: np.ndarray | None, preparation: Preparation
) -> tuple[np.ndarray, dict[str, str]]:
    """Decode image files to `[N, H, W, C]`; C is 1 if no pixel is coloured, because WebP has no grey images."""
    if content.dtype != np.uint8 or content.ndim != 1:
        raise InputError(f"{what}: array {kind!r} is {content.dtype} {content.shape}; give the files' uint8 bytes")
    offset = _check_offset(what, kind, offset, len(content))
    survey, pages = Survey(), []
    for i, (first, last) in enumerate(itertools.pairwise(offset)):
        name, file = f"{what}: file {i} of array {kind!r}", content[first:last].tobytes()
        survey.add(read_header(io.BytesIO(file), name), name)
        pages.append(Page(name, partial(io.BytesIO, file)))
    form = survey.form(what, preparation)
    rows = image_rows(pages, form)
    check_fits(f"{what}: array {kind!r}, decoded,", num_bytes(rows), "store fewer images")
    image = rows[:]
    # WebP's rounding makes the channels of a grey differ slightly, green's the least.
    colourless = image.dtype == np.uint8 and np.ptp(image, axis=-1).max() <= 1
    return image[..., 1:2] if colourless and form.shape[2] == 3 else image, form.named


def _check_offset(what: str, kind: str, offset: np.ndarray | None, length: int) -> np.ndarray:
    remedy = f"give [N + 1] integers that rise from 0 to {length}, where each file of {kind!r} begins and the last ends"
    if offset is None:
        raise InputError(f"{what}: no array 'offset'; {remedy}")
    if offset.dtype.kind not in "iu" or offset.ndim != 1 or len(offset) < 2:
        raise InputError(f"{what}: array 'offset' is {offset.dtype} {offset.shape}; {remedy}")
    offset = offset.astype(np.int64)
    if offset[0] != 0 or offset[-1] != length or (np.diff(offset) < 0).any():
        found = f"from {offset[0]} to {offset[-1]}" if (np.diff(offset) >= 0).all() else "not in order"
        raise InputError(f"{what}: array 'offset' is {found}; {remedy}")
    return offset
