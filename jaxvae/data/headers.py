"""Headers of image files: what there is to know of images before their pixels are read."""

from __future__ import annotations

import contextlib
import re
import warnings
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import numpy as np

from jaxvae.data.memory import check_fits, gigabytes
from jaxvae.data.png import SIGNATURE, may_be_turned, plain_shape
from jaxvae.data.preparation import Preparation
from jaxvae.types import InputError, first_line

if TYPE_CHECKING:
    from PIL import Image

_GREY = ("1", "L", "LA", "La")
_LYING = range(5, 9)
"""EXIF orientations that exchange height and width."""
_SUBFILE_TYPE, _WIDTH, _HEIGHT, _ORIENTATION = 254, 256, 257, 274
"""Tags of TIFF; the last is EXIF's too."""
_REDUCED = 1
"""Bit of a page that is a smaller copy of another."""
_NAMED_SIZES = 4


class Header(NamedTuple):
    """One image of a file, as it is displayed."""

    height: int
    width: int
    channels: int
    """1 for grey, 3 for colours."""
    deep: bool = False
    """More than 8 bits a pixel."""
    alpha: bool = False
    """Pixels may be transparent."""


class Form(NamedTuple):
    """The form to which all images of a set are brought."""

    shape: tuple[int, int, int]
    """Height, width and channels."""
    dtype: np.dtype
    """uint8, or float32 where any image has more than 8 bits a pixel."""
    preparation: Preparation
    alpha: bool
    """Pixels of some may be transparent."""

    @property
    def named(self) -> dict[str, str]:
        """What is done to images, by option."""
        return self.preparation.named(alpha=self.alpha)


class Survey:
    """Headers of all images of a set, counted."""

    def __init__(self) -> None:
        self._counts: Counter[Header] = Counter()
        self._first: dict[Header, str] = {}

    def add(self, header: Header, name: str) -> None:
        """Count an image."""
        self._counts[header] += 1
        self._first.setdefault(header, name)

    def form(self, what: str, preparation: Preparation) -> Form:
        """Return the form that all images are brought to; where any has colours, all have 3 channels.

        Args:
            what: the set's name, for messages.
            preparation: the size and the background wanted.

        Raises:
            InputError: images would differ in size, or need more memory than there is.
        """
        sizes = {preparation.size(header.height, header.width, name) for header, name in self._first.items()}
        if len(sizes) > 1:
            raise InputError(
                f"{what}: {self._sizes(what)}; bring them to one, or give --resize 64 or --crop 64 to train.py"
            )
        (height, width), headers = sizes.pop(), self._counts
        alpha = any(header.alpha for header in headers)
        coloured = alpha and len(set(preparation.colour)) > 1
        shape = height, width, 3 if coloured else max(header.channels for header in headers)
        dtype = np.dtype(np.float32 if any(header.deep for header in headers) else np.uint8)
        check_fits(
            f"{what}: one image of {width}x{height} pixels", int(np.prod(shape)) * dtype.itemsize, "make it smaller"
        )
        return Form(shape, dtype, preparation, alpha)

    def _sizes(self, what: str) -> str:
        """The commonest sizes, each with its number of images and the first of them."""
        counts: Counter[tuple[int, int]] = Counter()
        first: dict[tuple[int, int], str] = {}
        for header, count in self._counts.items():
            counts[header.width, header.height] += count
            first.setdefault((header.width, header.height), self._first[header].removeprefix(f"{what}: "))
        commonest = counts.most_common(_NAMED_SIZES)
        named = [f"{width}x{height} ({count}: {first[width, height]})" for (width, height), count in commonest]
        rest = f" and {len(counts) - len(named)} others" if len(counts) > len(named) else ""
        return f"images of {len(counts)} sizes, {', '.join(named)}{rest}"


def read_headers(stream: BinaryIO, name: str) -> dict[int, Header]:
    """Read the header of every page or frame of an image file.

    Args:
        stream: the file, at its beginning.
        name: what it is called in messages.

    Returns:
        Headers by the number of the page; previews of other pages are passed over.

    Raises:
        InputError: it is no image, or claims more pixels than are read.
    """
    from PIL import Image

    if shape := plain_shape(stream):
        headers = {0: Header(*shape)}
    else:
        stream.seek(0)
        turns = stream.read(len(SIGNATURE)) != SIGNATURE or may_be_turned(stream)  # Pillow decodes a PNG to tell
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
        InputError: it holds several, or see `read_headers`.
    """
    headers = read_headers(stream, name)
    if [*headers] != [0]:
        raise InputError(f"{name}: has {max(headers) + 1} pages or frames; save each as an image of its own")
    return headers[0]


def _pages(image: Image.Image) -> Iterator[int]:
    """Numbers of pages or frames, each when the image is at it."""
    # Further images of a camera's JPEG (MPO) are previews of the first.
    for number in range(1 if image.format == "MPO" else getattr(image, "n_frames", 1)):
        image.seek(number)
        if image.format != "TIFF" or not image.tag_v2.get(_SUBFILE_TYPE, 0) & _REDUCED:  # type: ignore[attr-defined]
            yield number


def _header(image: Image.Image, *, turns: bool) -> Header:
    width, height = image.size
    if image.format == "TIFF":  # Pillow has turned this size, or not, as its version may be
        width, height = image.tag_v2[_WIDTH], image.tag_v2[_HEIGHT]  # type: ignore[attr-defined]
    if turns and image.getexif().get(_ORIENTATION) in _LYING:
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
    """Turn what goes wrong while image `name` is read into an `InputError` that says so."""
    from PIL import Image

    try:
        yield
    except InputError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        claimed = re.search(r"[0-9]+", str(error))
        _check_pixels(int(claimed[0]) if claimed else 0, name)
        raise InputError(f"{name}: {first_line(error)}; make it smaller, or remove it") from error
    except Exception as error:  # Pillow's readers of damaged files have no common one
        raise InputError(f"{name}: not a readable image ({first_line(error)}); repair, convert or remove it") from error
