"""Arrays of an `.npz` file, checked by the sizes in their headers before they are read."""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np

from jaxvae.data.memory import check_fits
from jaxvae.errors import InputError, first_line

READ_ERRORS = (
    *(ArithmeticError, EOFError, LookupError, MemoryError, OSError, RuntimeError, SyntaxError, TypeError, ValueError),
    *(zipfile.BadZipFile, zlib.error),
)
"""Errors that NumPy and zipfile raise on damaged archives."""


class ArrayHeader(NamedTuple):
    """Shape and dtype of an array that is not read yet."""

    shape: tuple[int, ...]
    dtype: np.dtype

    @property
    def num_bytes(self) -> int:
        """Size of the array in bytes."""
        return math.prod(self.shape) * self.dtype.itemsize


def read_archive(
    path: Path, needed: Sequence[str], useful: Callable[[ArrayHeader], bool]
) -> tuple[dict[str, np.ndarray], dict[str, ArrayHeader]]:
    """Read arrays from an `.npz` file; nothing in it is unpickled.

    Args:
        path: the file.
        needed: names of arrays that are read first, if they exist.
        useful: function of a header, True if any other array is to be read.

    Returns:
        Arrays by name, and the headers of all arrays in the file.

    Raises:
        InputError: the file or a needed array cannot be read, or would take more memory than there is.
    """
    arrays: dict[str, np.ndarray] = {}
    headers: dict[str, ArrayHeader] = {}
    name, num_bytes = needed[0], 0
    try:
        with path.open("rb") as stream, zipfile.ZipFile(stream) as archive:
            entries = {entry.removesuffix(".npy"): entry for entry in sorted(archive.namelist())}
            for name in sorted(entries, key=lambda name: name not in needed):
                with archive.open(entries[name]) as member:
                    try:
                        headers[name] = read_header(member)
                    except ValueError:  # no array: ignored unless it is needed
                        if name in needed:
                            raise
            for name, header in headers.items():
                if name not in needed and not useful(header):
                    continue
                num_bytes += header.num_bytes
                check_fits(f"{path}: array {name!r}, {header.dtype} {header.shape},", num_bytes, "store fewer examples")
                with archive.open(entries[name]) as member:
                    arrays[name] = np.lib.format.read_array(member, allow_pickle=False)
    except InputError:
        raise
    except READ_ERRORS as error:
        found = f"array {name!r} cannot be read ({first_line(error)})"
        raise InputError(f"{path}: {found}; save arrays of numbers with numpy.savez") from error
    return arrays, headers


def read_header(member: IO[bytes]) -> ArrayHeader:
    """Read the header of an array at the beginning of an `.npy` file."""
    version = np.lib.format.read_magic(member)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(member)
    return ArrayHeader(shape, dtype)
