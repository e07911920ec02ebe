"""Arrays beside the cells of an `.h5ad` file, where AnnData finds them in `obsm`."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from jaxvae.errors import InputError
from jaxvae.packages import needed_by
from jaxvae.report.files import whole_file


def check_obsm(source: Path, names: list[str]) -> None:
    """Refuse a file that has such arrays already.

    Raises:
        InputError: an array of this name is there.
    """
    with needed_by(source, "h5py").File(source) as file:
        if there := [name for name in names if name in file.get("obsm", {})]:
            raise InputError(f"key: {source} holds obsm[{there[0]!r}] already; give another --key")


def save_obsm(source: Path, path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write a copy of an `.h5ad` file with further arrays `[cells, D]`; the copy may take the place of the file.

    Args:
        source: file to copy.
        path: file to write.
        arrays: arrays by their names in `obsm`.
    """
    h5py = needed_by(path, "h5py")
    with whole_file(path) as part:
        shutil.copyfile(source, part)
        with h5py.File(part, "r+") as file:
            if "obsm" not in file:
                file.create_group("obsm").attrs.update({"encoding-type": "dict", "encoding-version": "0.1.0"})
            for name, array in arrays.items():
                stored = file["obsm"].create_dataset(name, data=array)
                stored.attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})
