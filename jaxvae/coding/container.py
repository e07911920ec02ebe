"""Container of compressed examples: magic, header, table of blocks with checksums, words with the last pushed first.

    magic        8 bytes
    sizes        bytes of the compressed header, number of blocks: 2 little-endian uint32
    header       JSON, compressed by zlib
    blocks       for each: number of examples, number of words, CRC-32 of the words, CRC-32 of the examples: 4 uint32
    checksum     CRC-32 of all above: uint32
    words        of one block after another, little-endian uint32; those of the first block begin with the heads

Blocks follow each other in the order of their examples, so that a file is decoded while it is read.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from jaxvae.errors import InputError

MAGIC, FORMAT = b"jaxvae\r\n", 1
"""First bytes of a file, which a conversion of line ends would change, and the version of what follows."""
_SIZES, _CHECKSUM = struct.Struct("<II"), struct.Struct("<I")
_BLOCK = struct.Struct("<IIII")
_LARGEST = 1 << 26
"""Number of bytes, and of blocks, above which a header is a damaged one."""


class Block(NamedTuple):
    """Entry of the table of blocks."""

    examples: int
    words: int
    words_crc: int
    examples_crc: int


class Head(NamedTuple):
    """All that stands before the words."""

    header: dict[str, Any]
    blocks: tuple[Block, ...]
    num_bytes: int
    """Size of it."""


def write(stream: BinaryIO, header: dict[str, Any], blocks: Sequence[Block], parts: Sequence[np.ndarray]) -> int:
    """Write a file, given the words of each block in the order in which they are read; return the bytes of its head."""
    packed = zlib.compress(json.dumps({"format": FORMAT, **header}, separators=(",", ":")).encode(), 9)
    table = b"".join(_BLOCK.pack(*block) for block in blocks)
    head = MAGIC + _SIZES.pack(len(packed), len(blocks)) + packed + table
    stream.write(head + _CHECKSUM.pack(zlib.crc32(head)))
    for words in parts:
        stream.write(words.astype("<u4").tobytes())
    return len(head) + _CHECKSUM.size


def read_head(stream: BinaryIO, path: Path) -> Head:
    """Read all that stands before the words.

    Raises:
        InputError: the file is none of these, of another version, cut short or damaged.
    """
    magic = stream.read(len(MAGIC))
    if magic != MAGIC:
        if not magic:
            raise InputError(f"file: {path} is empty; name a file that was written by jaxvae compress")
        raise InputError(f"file: {path} was not written by jaxvae compress; name a file that was")
    sizes = _read(stream, _SIZES.size, path)
    num_header, num_blocks = _SIZES.unpack(sizes)
    if max(num_header, num_blocks) > _LARGEST:
        raise _damaged(path, "its header")
    rest = _read(stream, num_header + num_blocks * _BLOCK.size, path)
    (checksum,) = _CHECKSUM.unpack(_read(stream, _CHECKSUM.size, path))
    head = magic + sizes + rest
    if zlib.crc32(head) != checksum:
        raise _damaged(path, "its header")
    # A few bytes may decompress to more than the memory.
    unpacked = zlib.decompressobj().decompress(rest[:num_header], _LARGEST + 1)
    if len(unpacked) > _LARGEST:
        raise InputError(f"file: {path} has a header of more than {_LARGEST >> 20} MiB; fetch it again")
    header = json.loads(unpacked)
    if (version := header["format"]) != FORMAT:
        raise InputError(f"file: {path} is of format {version}, this jaxvae reads {FORMAT}; use that which wrote it")
    blocks = tuple(Block(*entry) for entry in _BLOCK.iter_unpack(rest[num_header:]))
    return Head(header, blocks, len(head) + _CHECKSUM.size)


def read_words(stream: BinaryIO, blocks: Sequence[Block], path: Path) -> Iterator[np.ndarray]:
    """Yield the words of one block after another.

    Raises:
        InputError: the file is cut short, damaged, or longer than it should be.
    """
    for number, block in enumerate(blocks):
        read = _read(stream, 4 * block.words, path)
        if zlib.crc32(read) != block.words_crc:
            raise _damaged(path, f"block {number + 1} of {len(blocks)}")
        yield np.frombuffer(read, "<u4").astype(np.uint32)
    if stream.read(1):
        raise InputError(f"file: {path} holds more than was written; fetch it again")


def _read(stream: BinaryIO, num: int, path: Path) -> bytes:
    found = stream.read(num)
    if len(found) < num:
        raise InputError(f"file: {path} is cut short; fetch it again")
    return found


def _damaged(path: Path, part: str) -> InputError:
    return InputError(f"file: {path} is damaged in {part}: the checksum differs; fetch it again")
