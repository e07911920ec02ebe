"""Image files of any kind as arrays: their shapes from their headers, their pixels where they are needed."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import BinaryIO

import numpy as np

from jaxvae.data.png import HEADER_BYTES, decode_pngs, png_shape
from jaxvae.types import InputError, first_line

Shape = tuple[int, int, int]
"""Height, width and channels: 1 for grey, 3 for colours."""


def image_shape(stream: BinaryIO, name: str) -> Shape:
    """Read an image's header.

    Raises:
        InputError: `name` is not an image, or has more than 8 bits a pixel.
    """
    if shape := png_shape(stream.read(HEADER_BYTES)):
        return shape
    from PIL import Image

    stream.seek(0)
    with readable(name), Image.open(stream) as image:
        if image.mode.startswith(("I", "F")):
            raise ValueError(f"more than 8 bits a pixel: mode {image.mode}")
        return image.height, image.width, 1 if image.mode in ("1", "L", "LA") else 3


def common_shape(shapes: Mapping[Shape, str]) -> Shape:
    """Return the shape of all images; where any has colours, all have 3 channels.

    Args:
        shapes: every shape that there is, with the name of the first image that has it.

    Raises:
        InputError: images differ in size.
    """
    first, *others = shapes
    height, width, _ = first
    for shape in others:
        if shape[:2] != (height, width):
            found = f"{shape[1]}x{shape[0]} pixels where {shapes[first]} has {width}x{height}"
            raise InputError(f"{shapes[shape]}: {found}; bring all images to one size")
    return height, width, max(channels for _, _, channels in shapes)


def decode_images(files: Sequence[bytes], names: Sequence[str], shape: Shape) -> np.ndarray:
    """Decode image files to `[N, H, W, C]`; among coloured images a grey one gets three equal channels.

    Raises:
        InputError: an image cannot be decoded, or has another size than the others.
    """
    with contextlib.suppress(ValueError):
        images = decode_pngs(files)
        if images.shape[1:] in (shape, (*shape[:2], 1)):
            return np.broadcast_to(images, (len(files), *shape))
    return np.stack([_decode(file, name, shape) for file, name in zip(files, names)])


def _decode(file: bytes, name: str, shape: Shape) -> np.ndarray:
    from PIL import Image

    height, width, channels = shape
    with readable(name), Image.open(io.BytesIO(file)) as image:
        if image.size != (width, height):
            raise ValueError(f"{image.width}x{image.height} pixels in place of {width}x{height}")
        return np.asarray(image.convert("L" if channels == 1 else "RGB")).reshape(shape)


@contextlib.contextmanager
def readable(name: str) -> Iterator[None]:
    """What goes wrong while image `name` is read is an `InputError` that says so."""
    from PIL import Image

    try:
        yield
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(f"{name}: not a readable image ({first_line(error)}); repair, convert or remove it") from error
