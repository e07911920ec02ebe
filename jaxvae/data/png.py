"""Joint decoding of many small PNG files, ten times as fast as one by one."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence
from typing import BinaryIO

import numpy as np

SIGNATURE = b"\x89PNG\r\n\x1a\n"
HEADER_BYTES = 29
_FIRST_CHUNK = HEADER_BYTES + 4
"""Position of the first chunk after the header and its checksum."""
_CHUNK = struct.Struct(">I4s")
"""Size and kind at the beginning of a chunk."""
_CHANNELS = {bytes((8, 0, 0, 0, 0)): 1, bytes((8, 2, 0, 0, 0)): 3}
"""Plain kinds: 8 bits, grey or RGB, not interlaced."""
_EXIF = {b"eXIf": b"", b"tEXt": b"Raw profile type", b"zTXt": b"Raw profile type", b"iTXt": b"XML:com.adobe.xmp"}
"""Chunks that may hold the orientation, and the beginning of their data."""
_LONGEST = max(map(len, _EXIF.values()))
_NOT_PLAIN = {b"tRNS": b"", b"acTL": b"", **_EXIF}
"""Chunks that change the meaning of the pixels: transparency, frames, orientation."""


def header_shape(header: bytes) -> tuple[int, int, int] | None:
    """Return height, width and channels from the first `HEADER_BYTES` of a plain PNG; None for any other file."""
    if len(header) < HEADER_BYTES or header[:8] != SIGNATURE or header[24:29] not in _CHANNELS:
        return None
    width, height = struct.unpack(">II", header[16:24])
    return height, width, _CHANNELS[header[24:29]]


def plain_shape(stream: BinaryIO) -> tuple[int, int, int] | None:
    """Return height, width and channels of a plain PNG, without further chunks of meaning; None for any other file."""
    shape = header_shape(stream.read(HEADER_BYTES))
    return None if shape is None or _holds(stream, _NOT_PLAIN) else shape


def may_be_turned(stream: BinaryIO) -> bool:
    """Return True if a PNG has a chunk that may hold its orientation."""
    return _holds(stream, _EXIF)


def _holds(stream: BinaryIO, wanted: dict[bytes, bytes]) -> bool:
    """Search the chunks after the header, without the pixels."""
    start = _FIRST_CHUNK
    stream.seek(start)
    while len(head := stream.read(8 + _LONGEST)) >= 8:
        size, kind = _CHUNK.unpack_from(head)
        if kind in wanted and head.startswith(wanted[kind], 8):
            return True
        start += 12 + size
        stream.seek(start)
    return False


def decode_pngs(files: Sequence[bytes]) -> np.ndarray:
    """Decode plain PNG files of one shape to `[N, H, W, C]`, all as one tall PNG.

    Raises:
        ValueError: the files are not plain or not of one shape, or one is damaged.
    """
    from PIL import Image

    header = files[0][:HEADER_BYTES]
    shape = header_shape(header)
    if shape is None or any(file[:HEADER_BYTES] != header for file in files):
        raise ValueError("not plain PNG files of one shape")
    height, width, channels = shape
    # A PNG predicts a row from the one above: an empty row before each image keeps its first row's prediction.
    empty = bytes(1 + width * channels)
    rows = empty + empty.join(_rows(file, height * len(empty)) for file in files)
    tall = struct.pack(">II", width, len(files) * (height + 1)) + header[24:]
    chunks = ((b"IHDR", tall), (b"IDAT", zlib.compress(rows, level=0)), (b"IEND", b""))
    with Image.open(io.BytesIO(SIGNATURE + b"".join(_chunk(*chunk) for chunk in chunks))) as image:
        return np.asarray(image).reshape(len(files), height + 1, width, channels)[:, 1:]


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _rows(file: bytes, length: int) -> bytes:
    """Decompress a file's data chunks: for each row the filter's number and the filtered pixels."""
    data, start = [], _FIRST_CHUNK
    try:
        while start < len(file):
            size, kind = _CHUNK.unpack_from(file, start)
            if kind == b"IDAT":
                data.append(file[start + 8 : start + 8 + size])
            elif kind in _NOT_PLAIN and file.startswith(_NOT_PLAIN[kind], start + 8):
                raise ValueError("not a plain PNG")
            start += 12 + size
        unpacker = zlib.decompressobj()
        rows = unpacker.decompress(b"".join(data), length + 1)  # a few bytes may decompress to more than the memory
    except (struct.error, zlib.error) as error:
        raise ValueError(f"damaged PNG: {error}") from error
    if len(rows) != length or not unpacker.eof:
        raise ValueError(f"damaged PNG: {len(rows)} bytes of pixels in place of {length}")
    return rows
