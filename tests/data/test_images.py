"""Image files, many at once, against Pillow's own pixels one by one."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from jaxvae.data.images import decode_images, image_shape
from jaxvae.data.png import decode_pngs
from jaxvae.types import InputError

RNG = np.random.default_rng(3)
SMOOTH = np.asarray(Image.fromarray(RNG.integers(0, 256, (6, 5, 3), dtype=np.uint8)).resize((13, 17)))
NOISE = RNG.integers(0, 256, (17, 13, 3), dtype=np.uint8)
IMAGES = [Image.fromarray(image) for image in (SMOOTH, NOISE, SMOOTH[::-1], np.zeros_like(NOISE), 255 - SMOOTH)]
NAMES = [f"{index}.png" for index in range(len(IMAGES))]


def _file(image: Image.Image, kind: str = "PNG") -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind)
    return stream.getvalue()


def _pixels(file: bytes, mode: str) -> np.ndarray:
    return np.atleast_3d(np.asarray(Image.open(io.BytesIO(file)).convert(mode)))


MODES = {
    "PNG": ("L", "RGB", "RGBA", "LA", "P", "1"),
    "JPEG": ("L", "RGB", "1"),
    "WEBP": ("L", "RGB", "RGBA", "P"),
    "BMP": ("L", "RGB", "RGBA", "P", "1"),
    "TIFF": ("L", "RGB", "RGBA", "LA", "P", "1"),
    "GIF": ("L", "RGB", "P", "1"),
}


@pytest.mark.parametrize(("kind", "mode"), [(kind, mode) for kind, modes in MODES.items() for mode in modes])
def test_every_kind_of_file_is_decoded_as_pillow_does(kind, mode):
    files = [_file(image.convert(mode), kind) for image in IMAGES]
    shape = image_shape(io.BytesIO(files[0]), "0")
    assert shape == (17, 13, len(_stored(files[0])))
    expected = np.stack([_pixels(file, "L" if shape[2] == 1 else "RGB") for file in files])
    np.testing.assert_array_equal(decode_images(files, NAMES, shape), expected)


def _stored(file: bytes) -> str:
    return "L" if Image.open(io.BytesIO(file)).mode in ("L", "LA", "1") else "RGB"


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("filter_number", range(5))
def test_plain_pngs_with_each_filter_are_decoded_at_once(mode, filter_number):
    """Filter bytes of chance: a file is whatever its filters make of them, from an empty row on."""
    row = 13 * len(mode)
    rows = RNG.integers(0, 256, (4, 17, 1 + row), dtype=np.uint8)
    rows[..., 0] = filter_number
    files = [_png(struct.pack(">IIBBBBB", 13, 17, 8, 2 * (mode == "RGB"), 0, 0, 0), image.tobytes()) for image in rows]
    np.testing.assert_array_equal(decode_pngs(files), np.stack([_pixels(file, mode) for file in files]))


def _png(header: bytes, rows: bytes) -> bytes:
    """A PNG whose pixels are in two data chunks, with a note between header and data."""
    data = zlib.compress(rows)
    chunks = ((b"IHDR", header), (b"tEXt", b"a\0IDAT"), (b"IDAT", data[:9]), (b"IDAT", data[9:]), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )


def test_grey_among_coloured_gets_three_equal_channels():
    grey, colour = _file(IMAGES[0].convert("L")), _file(IMAGES[1])
    for files in ([grey, grey], [grey, colour]):
        found = decode_images(files, NAMES, (17, 13, 3))
        np.testing.assert_array_equal(found, np.stack([_pixels(file, "RGB") for file in files]))


@pytest.mark.parametrize("rows", [16 * 14, 18 * 14, 17 * 14 - 1])
def test_a_file_with_too_few_or_too_many_rows_shifts_no_other(rows):
    """One such file among others is refused by name, or read as Pillow reads it."""
    header = struct.pack(">IIBBBBB", 13, 17, 8, 0, 0, 0, 0)
    files = [_png(header, bytes(17 * 14)), _png(header, bytes(rows)), _file(IMAGES[1].convert("L"))]
    with pytest.raises(ValueError, match="in place of"):
        decode_pngs([*files[:2], _png(header, bytes(17 * 14))])
    if rows < 17 * 14:
        with pytest.raises(InputError, match=r"^1\.png: not a readable image"):
            decode_images(files, NAMES, (17, 13, 1))
    else:
        expected = [_pixels(file, "L") for file in files]
        np.testing.assert_array_equal(decode_images(files, NAMES, (17, 13, 1)), expected)


@pytest.mark.parametrize("place", [0, 4])
@pytest.mark.parametrize("damage", ["half", "empty", "size", "text"])
def test_a_damaged_file_is_named(place, damage):
    files = [_file(image) for image in IMAGES]
    other = _file(IMAGES[0].crop((0, 0, 13, 1)))  # one row, which must not be spread over all
    files[place] = {"half": files[place][:300], "empty": b"", "size": other, "text": b"no image"}[damage]
    with pytest.raises(InputError, match=rf"^{place}\.png: not a readable image \(.*repair") as caught:
        decode_images(files, NAMES, (17, 13, 3))
    assert "\n" not in str(caught.value)
