"""One array in an `.npy` file, mapped into memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from jaxvae.data.dataset import Dataset
from jaxvae.data.preparation import Preparation
from jaxvae.data.rows import LazyRows
from jaxvae.data.sources.archive import READ_ERRORS
from jaxvae.data.sources.disk import disk_rows, open_single
from jaxvae.errors import InputError, first_line


def open_npy(path: Path, preparation: Preparation) -> Dataset:
    """Open `[N, H, W, C]` images, uint8 `[N, H, W]` images, or `[N, D]`, `[N, T]` and `[N, T, C]` floats.

    Raises:
        InputError: the file cannot be read, or its array may be of several kinds.
    """
    return open_single(str(path), path.stem, str(path.with_suffix(".npz")), map_npy(path), preparation)


def map_npy(path: Path) -> LazyRows:
    """Map the array of a file into memory.

    Raises:
        InputError: the file cannot be read, or holds no array.
    """
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except READ_ERRORS as error:
        raise InputError(f"{path}: cannot be read ({first_line(error)}); save numbers with numpy.save") from error
    if not isinstance(array, np.memmap):
        raise InputError(f"{path}: is no array; save one with numpy.save")
    return disk_rows(str(path), array, array.__getitem__)
