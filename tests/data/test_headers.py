"""Headers of image files: sizes that differ, or that are claimed, before a pixel is read."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from jaxvae.data import Preparation, load
from jaxvae.data.headers import Header, Survey, read_header, read_headers
from jaxvae.types import InputError


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


def _survey(*headers: Header) -> Survey:
    survey = Survey()
    for number, header in enumerate(headers):
        survey.add(header, f"set: file {number}")
    return survey


def test_the_commonest_sizes_are_named():
    sizes = [(4, 6)] * 3 + [(9, 9), (8, 2), (4, 6), (8, 2), (1, 1), (2, 2), (3, 3)]
    survey = _survey(*(Header(height, width, 1) for height, width in sizes))
    named = r"6x4 \(4: file 0\), 2x8 \(2: file 4\), 9x9 \(1: file 3\), 1x1 \(1: file 7\) and 2 others"
    with pytest.raises(InputError, match=rf"^set: images of 6 sizes, {named}; bring .* --resize 64 or --crop 64"):
        survey.form("set", Preparation())
    assert survey.form("set", Preparation(resize=(5,))).shape == (5, 5, 1)


@pytest.mark.parametrize(
    ("headers", "background", "shape", "dtype"),
    [
        ([Header(4, 6, 1)], "white", (4, 6, 1), np.uint8),
        ([Header(4, 6, 1), Header(4, 6, 3)], "white", (4, 6, 3), np.uint8),
        ([Header(4, 6, 1, alpha=True)], "grey", (4, 6, 1), np.uint8),
        ([Header(4, 6, 1, alpha=True)], "red", (4, 6, 3), np.uint8),
        ([Header(4, 6, 1)], "red", (4, 6, 1), np.uint8),
        ([Header(4, 6, 1, deep=True), Header(4, 6, 3)], "white", (4, 6, 3), np.float32),
    ],
)
def test_one_form_for_all(headers, background, shape, dtype):
    form = _survey(*headers).form("set", Preparation(background=background))
    assert (form.shape, form.dtype) == (shape, dtype)
    assert form.named == ({"background": background} if any(header.alpha for header in headers) else {})


def test_an_image_that_no_memory_holds_is_refused():
    with pytest.raises(InputError, match=r"one image of 1000000000x1000000000 .* GB, this machine has .* GB; make"):
        _survey(Header(4, 6, 3)).form("set", Preparation(resize=(10**9,)))
