"""Records of TFRecord files, by their numbers and without TensorFlow; grain reads such files in order only.

A record is its length in 8 bytes, their checksum in 4, its content and that one's checksum in 4. Checksums are not
compared.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from jaxvae.errors import InputError

_LENGTH, _CHECKSUM = struct.Struct("<Q"), 4


class TFRecords:
    """Records of several files, one file after another.

    Args:
        files: paths of the files.

    Raises:
        InputError: a file is damaged.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = [_mapped(file) for file in files]
        places = [_places(path, file) for path, file in zip(files, self._files)]
        self._places = np.concatenate([np.zeros((0, 2), np.int64), *places])
        self._file = np.repeat(np.arange(len(files)), [len(of_file) for of_file in places])

    def __len__(self) -> int:
        return len(self._file)

    def __getitems__(self, ids: Sequence[int], /) -> list[bytes]:
        return [self._files[self._file[i]][first:last] for i in ids for first, last in [self._places[i]]]


def _mapped(path: Path) -> mmap.mmap | bytes:
    try:
        with path.open("rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if path.stat().st_size else b""
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); prepare the set again") from error


def _places(path: Path, file: mmap.mmap | bytes) -> np.ndarray:
    """Return `[N, 2]` where the content of each record begins and ends."""
    places: list[tuple[int, int]] = []
    end, size = 0, len(file)
    while end < size:
        first = end + _LENGTH.size + _CHECKSUM
        last = first + (_LENGTH.unpack_from(file, end)[0] if first <= size else 0)
        end = last + _CHECKSUM
        if end > size:
            raise InputError(f"{path}: ends within record {len(places)}; prepare the set again")
        places.append((first, last))
    return np.array(places, np.int64).reshape(-1, 2)
