"""Plain PNG files, many at once, against Pillow's own pixels one by one; and how they are told from others."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from jaxvae.data.png import decode_pngs, may_be_turned, plain_shape

RNG = np.random.default_rng(3)
GREY = Image.fromarray(RNG.integers(0, 256, (17, 13), dtype=np.uint8))
HEADER = struct.pack(">IIBBBBB", 13, 17, 8, 0, 0, 0, 0)


def _saved(**options) -> bytes:
    stream = io.BytesIO()
    GREY.save(stream, "PNG", **options)
    return stream.getvalue()


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("filter_number", range(5))
def test_plain_pngs_with_each_filter_are_decoded_at_once(mode, filter_number):
    """Filter bytes of chance: a file is whatever its filters make of them, from an empty row on."""
    row = 13 * len(mode)
    rows = RNG.integers(0, 256, (4, 17, 1 + row), dtype=np.uint8)
    rows[..., 0] = filter_number
    files = [_png(struct.pack(">IIBBBBB", 13, 17, 8, 2 * (mode == "RGB"), 0, 0, 0), image.tobytes()) for image in rows]
    np.testing.assert_array_equal(
        decode_pngs(files), np.stack([np.atleast_3d(np.asarray(Image.open(io.BytesIO(file)))) for file in files])
    )


def _png(header: bytes, rows: bytes) -> bytes:
    """A PNG whose pixels are in two data chunks, with a note between header and data."""
    data = zlib.compress(rows)
    chunks = ((b"IHDR", header), (b"tEXt", b"a\0IDAT"), (b"IDAT", data[:9]), (b"IDAT", data[9:]), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )


@pytest.mark.parametrize("rows", [bytes(16 * 14), bytes(18 * 14), bytes(17 * 14 - 1), bytes(1 << 26)])
def test_a_file_with_too_few_or_too_many_rows_shifts_no_other(rows):
    """The last holds 64 MiB, of which no more is unpacked than the header claims."""
    with pytest.raises(ValueError, match="in place of 238"):
        decode_pngs([_png(HEADER, bytes(17 * 14)), _png(HEADER, rows), _png(HEADER, bytes(17 * 14))])


def _note(key: str) -> PngImagePlugin.PngInfo:
    note = PngImagePlugin.PngInfo()
    note.add_itxt(key, "tiff:Orientation")
    return note


@pytest.mark.parametrize(
    ("options", "turned"),
    [
        ({"transparency": 7}, False),
        ({"save_all": True, "append_images": [GREY.rotate(180)]}, False),
        ({"exif": Image.Exif()}, False),
        ({"exif": b"Exif\0\0"}, True),
        ({"pnginfo": _note("XML:com.adobe.xmp")}, True),
    ],
)
def test_a_file_that_is_more_than_its_pixels_is_not_plain(options, turned):
    file = _saved(**options)
    assert may_be_turned(io.BytesIO(file)) is turned
    if options == {"exif": Image.Exif()}:
        assert plain_shape(io.BytesIO(file)) == (17, 13, 1)
    else:
        assert plain_shape(io.BytesIO(file)) is None
        with pytest.raises(ValueError, match="not a plain PNG"):
            decode_pngs([file, file])


def test_an_orientation_behind_the_pixels_is_seen():
    file = _saved()
    note = struct.pack(">I", 4) + b"eXIf" + bytes(4)
    file = file[:-12] + note + struct.pack(">I", zlib.crc32(note[4:])) + file[-12:]
    assert may_be_turned(io.BytesIO(file))
    assert plain_shape(io.BytesIO(file)) is None


def test_other_notes_do_no_harm():
    assert plain_shape(io.BytesIO(_saved(pnginfo=_note("comment"), dpi=(72, 72)))) == (17, 13, 1)
    assert plain_shape(io.BytesIO(b"")) is None
