"""Headers of image files, read before their pixels."""

from __future__ import annotations

import contextlib
import re
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from jaxvae.data.memory import gigabytes
from jaxvae.data.png import SIGNATURE, may_be_turned, plain_shape
from jaxvae.errors import InputError, first_line

if TYPE_CHECKING:
    from PIL import Image

_GREY = ("1", "L", "LA", "La")
_LYING = range(5, 9)
"""EXIF orientations that exchange height and width."""
_SUBFILE_TYPE, _WIDTH, _HEIGHT, _ORIENTATION = 254, 256, 257, 274
"""Tags of TIFF; the last is EXIF's too."""
_REDUCED = 1
"""Bit of a page that is a smaller copy of another."""


class Header(NamedTuple):
    """One image of a file, as it is displayed."""

    height: int
    width: int
    channels: int
    """1 for grey, 3 for colours."""
    deep: bool = False
    """True for more than 8 bits per channel."""
    alpha: bool = False
    """True if pixels may be transparent."""


def read_headers(stream: BinaryIO, name: str) -> dict[int, Header]:
    """Read the header of every page or frame of an image file.

    Args:
        stream: the file, at its beginning.
        name: name of the file in messages.

    Returns:
        Headers by the number of the page, without previews of other pages.

    Raises:
        InputError: it is no image, or has more pixels than the limit.
    """
    from PIL import Image

    if shape := plain_shape(stream):
        headers = {0: Header(*shape)}
    else:
        stream.seek(0)
        turns = stream.read(len(SIGNATURE)) != SIGNATURE or may_be_turned(stream)  # Pillow would decode the whole PNG
        stream.seek(0)
        with readable(name), warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(stream) as image:
                headers = {number: _header(image, turns=turns) for number in _pages(image)}
                if not headers:
                    raise ValueError("it holds previews of other images only")
    for header in headers.values():
        _check_pixels(header.height * header.width, name)
    return headers


def read_header(stream: BinaryIO, name: str) -> Header:
    """Read the header of an image file that holds one image.

    Raises:
        InputError: it holds several images, or see `read_headers`.
    """
    headers = read_headers(stream, name)
    if [*headers] != [0]:
        raise InputError(f"{name}: has {max(headers) + 1} pages or frames; save each as an image of its own")
    return headers[0]


def _pages(image: Image.Image) -> Iterator[int]:
    """Yield the numbers of pages or frames, with the image positioned at each."""
    # Further images in a camera's JPEG (MPO) are previews of the first.
    for number in range(1 if image.format == "MPO" else getattr(image, "n_frames", 1)):
        image.seek(number)
        if image.format != "TIFF" or not image.tag_v2.get(_SUBFILE_TYPE, 0) & _REDUCED:  # type: ignore[attr-defined]
            yield number


def _header(image: Image.Image, *, turns: bool) -> Header:
    if image.format == "TIFF":  # Pillow's versions differ in whether the size is rotated
        tags = image.tag_v2  # type: ignore[attr-defined]
        width, height, orientation = tags[_WIDTH], tags[_HEIGHT], tags.get(_ORIENTATION)
    else:
        (width, height), orientation = image.size, image.getexif().get(_ORIENTATION) if turns else None
    if orientation in _LYING:
        width, height = height, width
    deep = image.mode.startswith(("I", "F"))
    channels = 1 if deep or image.mode in _GREY else 3
    return Header(height, width, channels, deep, image.has_transparency_data)


def _check_pixels(num_pixels: int, name: str) -> None:
    from PIL import Image

    limit = Image.MAX_IMAGE_PIXELS
    if limit is not None and num_pixels > limit:
        claim = f"claims {num_pixels:,} pixels, {gigabytes(3 * num_pixels)} in colour"
        raise InputError(f"{name}: {claim}; at most {limit:,} pixels are read: make it smaller, or remove it")


@contextlib.contextmanager
def readable(name: str) -> Iterator[None]:
    """Convert any error while image `name` is read into an `InputError`."""
    from PIL import Image

    try:
        yield
    except InputError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        claimed = re.search(r"[0-9]+", str(error))
        _check_pixels(int(claimed[0]) if claimed else 0, name)
        raise InputError(f"{name}: {first_line(error)}; make it smaller, or remove it") from error
    except Exception as error:  # Pillow's errors on damaged files have no common class
        raise InputError(f"{name}: not a readable image ({first_line(error)}); repair, convert or remove it") from error
