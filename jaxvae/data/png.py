"""Many small PNG files decoded at once, a hundred thousand a second."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np


def decode_pngs(files: list[bytes]) -> np.ndarray:
    """Decode `[N]` equally large 8-bit grey PNG files to `[N, H, W, 1]`, all as one tall PNG."""
    from PIL import Image

    width, height = struct.unpack(">II", files[0][16:24])
    header = files[0][12:29]
    if any(file[12:29] != header for file in files) or header[12:] != bytes((8, 0, 0, 0, 0)):
        raise ValueError("the images are not grey, or not of one size")
    # A PNG predicts a row from the one above: an empty row before each image makes it what it was, the first.
    empty = bytes(1 + width)
    rows = b"".join(empty + zlib.decompress(_data(file)) for file in files)
    tall = struct.pack(">II", width, len(files) * (height + 1)) + header[12:]
    chunks = ((b"IHDR", tall), (b"IDAT", zlib.compress(rows, level=0)), (b"IEND", b""))
    with Image.open(io.BytesIO(files[0][:8] + b"".join(_chunk(*chunk) for chunk in chunks))) as image:
        return np.asarray(image).reshape(len(files), height + 1, width, 1)[:, 1:].copy()


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _data(file: bytes) -> bytes:
    """Join the contents of a file's data chunks."""
    data, start = b"", 8
    while start < len(file):
        (length,) = struct.unpack(">I", file[start : start + 4])
        if file[start + 4 : start + 8] == b"IDAT":
            data += file[start + 8 : start + 8 + length]
        start += 12 + length
    return data
