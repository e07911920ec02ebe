"""Headers of image files: what they claim, before a pixel is read."""

import io
import struct
import zlib

import pytest
from PIL import Image, ImageOps, TiffImagePlugin

from jaxvae.data import Preparation, load
from jaxvae.data.headers import Header, read_header, read_headers
from jaxvae.errors import InputError


def _png(width: int, height: int, colour: int) -> bytes:
    """A PNG that claims a size, and holds nothing of it."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    data = zlib.compress(bytes(100))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize("colour", [0, 2, 6], ids=["grey", "colour", "alpha"])
@pytest.mark.parametrize("width", [10_000, 60_000], ids=["warning", "error"])
def test_more_pixels_than_are_read_are_refused_by_the_header(tmp_path, colour, width):
    file = _png(width, 10_000 if width == 10_000 else 60_000, colour)
    (tmp_path / "a.png").write_bytes(file)
    size = {10_000: r"100,000,000 pixels, 0\.3 GB", 60_000: r"3,600,000,000 pixels, 10\.8 GB"}[width]
    with pytest.raises(InputError, match=rf"a\.png: claims {size} in colour; at most 89,478,485 .*make it smaller"):
        load(str(tmp_path), preparation=Preparation(resize=(8,)))


@pytest.mark.parametrize("frames", [1, 3])
def test_every_page_has_a_header(frames):
    stream = io.BytesIO()
    pages = [Image.new(mode, (7, 5)) for mode in ("L", "RGB", "I;16")[:frames]]
    pages[0].save(stream, "TIFF", save_all=True, append_images=pages[1:])
    wanted = [Header(5, 7, 1), Header(5, 7, 3), Header(5, 7, 1, deep=True)][:frames]
    assert read_headers(stream, "x") == dict(enumerate(wanted))
    stream.seek(0)
    if frames > 1:
        with pytest.raises(InputError, match=r"^x: has 3 pages or frames; save each as an image of its own"):
            read_header(stream, "x")


def test_pages_of_a_tiff_lie_each_in_its_own_way():
    stream = io.BytesIO()
    with TiffImagePlugin.AppendingTiffWriter(stream) as pages:
        for orientation in (1, 6, 1):
            Image.new("L", (7, 5)).save(pages, "TIFF", tiffinfo={274: orientation})
            pages.newFrame()
    headers = read_headers(io.BytesIO(stream.getvalue()), "x")
    assert [(header.width, header.height) for header in headers.values()] == [(7, 5), (5, 7), (7, 5)]
    with Image.open(io.BytesIO(stream.getvalue())) as image:
        for number, header in headers.items():
            image.seek(number)
            assert ImageOps.exif_transpose(image).size == (header.width, header.height)
