"""The file: read as it was written, or refused in one line, wherever it is cut or changed."""

import io
import zlib
from pathlib import Path

import numpy as np
import pytest

from jaxvae.coding import container
from jaxvae.errors import InputError

PATH = Path("digits.vae")
PARTS = [np.arange(5, dtype=np.uint32), np.arange(0, dtype=np.uint32), np.full(3, 2**32 - 1, np.uint32)]
BLOCKS = [container.Block(4, len(part), zlib.crc32(part.tobytes()), 7) for part in PARTS]


def written():
    stream = io.BytesIO()
    container.write(stream, {"lanes": 2}, BLOCKS, PARTS)
    return stream.getvalue()


def read(data):
    stream = io.BytesIO(data)
    head = container.read_head(stream, PATH)
    return head, [*container.read_words(stream, head.blocks, PATH)]


def test_what_is_written_is_read():
    head, words = read(written())
    assert head.header == {"format": 1, "lanes": 2}
    assert head.blocks == tuple(BLOCKS)
    assert head.num_bytes + 4 * 8 == len(written())
    for here, there in zip(words, PARTS, strict=True):
        np.testing.assert_array_equal(here, there)


def test_a_cut_or_longer_file_is_one_line():
    for length in range(len(written())):
        with pytest.raises(InputError, match=r"file: digits.vae is (cut short|empty)|was not written by"):
            read(written()[:length])
    with pytest.raises(InputError, match="holds more than was written"):
        read(written() + b"\0")


def test_every_flipped_bit_is_one_line():
    for place in range(len(written())):
        data = bytearray(written())
        data[place] ^= 1 << place % 8
        with pytest.raises(InputError, match=r"^file: digits.vae [^\n]*$"):
            read(bytes(data))


def test_a_header_that_unpacks_to_more_than_it_may_is_refused(monkeypatch):
    stream = io.BytesIO()
    container.write(stream, {"long": "0" * 5000}, [], [])
    monkeypatch.setattr(container, "_LARGEST", 1000)
    with pytest.raises(InputError, match=r"^file: digits.vae has a header of more than .* MiB; fetch it again"):
        read(stream.getvalue())


def test_a_later_format_is_refused(monkeypatch):
    monkeypatch.setattr(container, "FORMAT", 2)
    data = written()
    monkeypatch.undo()
    with pytest.raises(InputError, match="is of format 2, this jaxvae reads 1"):
        read(data)
