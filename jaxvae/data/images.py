"""Image files of any kind as arrays: upright, on one background, of one size and one dtype."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import numpy as np

from jaxvae.data.headers import readable
from jaxvae.data.png import HEADER_BYTES, decode_pngs, header_shape
from jaxvae.data.preparation import Preparation
from jaxvae.data.rows import LazyRows
from jaxvae.data.survey import Form
from jaxvae.errors import InputError

if TYPE_CHECKING:
    from PIL import Image

_SMALL_FILE = 1 << 20
"""Maximum size in bytes of a file that is decoded together with others."""
_WHITE_16_BIT = 65535


class Page(NamedTuple):
    """One image of a file, on disk or elsewhere."""

    name: str
    """Name of the file."""
    open: Callable[[], BinaryIO]
    number: int = 0


def image_rows(pages: Sequence[Page], form: Form) -> LazyRows:
    """Return rows of images that are decoded when they are indexed."""
    return LazyRows(lambda ids: decode_images([pages[i] for i in ids], form), (len(pages), *form.shape), form.dtype)


def decode_images(pages: Sequence[Page], form: Form) -> np.ndarray:
    """Decode images to `[N, H, W, C]`; in a coloured set a grey image gets three equal channels.

    Raises:
        InputError: an image cannot be decoded, has changed its size, or is invisible on the background.
    """
    if form.dtype == np.uint8 and not form.preparation.changes_size:
        with suppress(ValueError, OSError):  # reading one by one then finds the faulty file
            images = decode_pngs(list(_small_pngs(pages)))
            if images.shape[1:] in (form.shape, (*form.shape[:2], 1)):
                return np.broadcast_to(images, (len(pages), *form.shape))
    files = (list(group) for _, group in groupby(pages, key=attrgetter("name")))
    return np.stack([image for pages_of_file in files for image in _decode_file(pages_of_file, form)])


def _small_pngs(pages: Sequence[Page]) -> Iterator[bytes]:
    """Yield the contents of PNG files that may be plain; raise a ValueError at the first that is not."""
    for page in pages:
        with page.open() as stream:
            header = stream.read(HEADER_BYTES)
            if header_shape(header) is None:
                raise ValueError("not a plain PNG")
            yield header + stream.read(_SMALL_FILE)


def _decode_file(pages: Sequence[Page], form: Form) -> list[np.ndarray]:
    """Decode pages of one file, which is opened once."""
    from PIL import Image

    name, open_file = pages[0].name, pages[0].open
    images = []
    with readable(name), open_file() as stream, Image.open(stream) as image:
        for page in pages:
            page_name = f"{name}: page {page.number}" if page.number else name
            with readable(page_name):
                image.seek(page.number)
                images.append(_pixels(image, form, page_name))
    return images


def _pixels(image: Image.Image, form: Form, name: str) -> np.ndarray:
    from PIL import ImageOps

    height, width, channels = form.shape
    upright = ImageOps.exif_transpose(image)
    deep = upright.mode.startswith(("I", "F"))
    if deep and upright.has_transparency_data:
        raise ValueError("transparent pixels in grey of more than 8 bits")
    if upright.has_transparency_data:
        upright = _on_background(upright, form.preparation, name)
    elif deep:
        upright = _in_unit_interval(upright, image.format, name)
    if not deep:
        upright = upright.convert("L" if channels == 1 else "RGB")
    fitted = form.preparation.fit(upright)
    if fitted.size != (width, height):
        raise ValueError(f"{fitted.width}x{fitted.height} pixels in place of {width}x{height}")
    pixels = np.asarray(fitted).reshape(height, width, -1)
    if form.dtype != np.uint8 and not deep:
        pixels = pixels / np.float32(255)
    if pixels.dtype != form.dtype:
        raise ValueError("more than 8 bits a pixel since the set was opened")
    return np.broadcast_to(pixels, form.shape)


def _on_background(image: Image.Image, preparation: Preparation, name: str) -> Image.Image:
    """Composite a transparent image over the background, on which it must be visible."""
    from PIL import Image

    layer = image.convert("RGBA")
    flat = Image.alpha_composite(Image.new("RGBA", image.size, preparation.colour), layer)
    if _is_uniform(flat) and not _is_uniform(layer):
        if layer.getchannel("A").getextrema() == (0, 0):
            raise InputError(f"{name}: all its pixels are transparent; save it without the alpha channel, or remove it")
        seen = f"nothing of it can be seen on {preparation.background}"
        raise InputError(f"{name}: {seen}; give another colour as --background to train.py, or remove it")
    return flat


def _is_uniform(image: Image.Image) -> bool:
    return image.getcolors(maxcolors=1) is not None  # None for more than one


def _in_unit_interval(image: Image.Image, kind: str | None, name: str) -> Image.Image:
    """Scale values of more than 8 bits to floats in [0, 1]."""
    from PIL import Image

    pixels = np.asarray(image)
    if image.mode.startswith("I;16") or (image.mode == "I" and kind in ("PNG", "PPM")):
        return Image.fromarray(np.float32(pixels / _WHITE_16_BIT))
    kind = "floats" if image.mode == "F" else "32-bit integers"
    low, high = pixels.min(), pixels.max()
    if image.mode != "F" or not 0 <= low <= high <= 1:
        raise InputError(
            f"{name}: holds {kind} from {low:g} to {high:g}; save it as floats in [0, 1], or as 16-bit grey"
        )
    return image
