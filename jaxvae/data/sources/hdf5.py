"""Arrays in an HDF5 file, with the keys of an `.npz` file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from jaxvae.data.dataset import Dataset
from jaxvae.data.preparation import Preparation
from jaxvae.data.rows import Rows
from jaxvae.data.sources.archive import READ_ERRORS
from jaxvae.data.sources.disk import disk_rows, open_keyed, read_keyed
from jaxvae.errors import InputError, first_line
from jaxvae.packages import needed_by


def open_hdf5(path: Path, preparation: Preparation) -> Dataset:
    """Open the arrays at the top of a file; examples are read when they are needed.

    Raises:
        InputError: the file cannot be read, or an array cannot be used, see `keyed.whole_set`.
    """
    items = _items(path)

    def rows(name: str) -> Rows:
        return disk_rows(f"{path}: array {name!r}", items[name], items[name].__getitem__)

    return open_keyed(str(path), path.stem, items, rows, preparation)


def read_hdf5(path: Path) -> dict[str, np.ndarray]:
    """Read the arrays of examples into memory, see `disk.read_keyed`."""
    return read_keyed(str(path), _items(path))


def _items(path: Path) -> dict[str, Any]:
    h5py = needed_by(path, "h5py")
    try:
        file: Any = h5py.File(path)
        return {name: item for name, item in file.items() if isinstance(item, h5py.Dataset)}
    except READ_ERRORS as error:
        raise InputError(f"{path}: cannot be read ({first_line(error)}); write it again with h5py") from error
