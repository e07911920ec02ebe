"""Arrays in a Zarr store, with the keys of an `.npz` file, or a single one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jaxvae.data.dataset import Dataset
from jaxvae.data.preparation import Preparation
from jaxvae.data.rows import Rows
from jaxvae.data.sources.disk import disk_rows, open_keyed, open_single
from jaxvae.errors import InputError, first_line
from jaxvae.packages import needed_by


def open_zarr(path: Path, preparation: Preparation) -> Dataset:
    """Open a store of Zarr format 2 or 3; examples are read when they are needed.

    Raises:
        InputError: the store cannot be read, or an array cannot be used, see `keyed.whole_set`.
    """
    zarr = needed_by(path, "zarr")
    try:
        store: Any = zarr.open(path, mode="r")
        items = {} if isinstance(store, zarr.Array) else dict(store.arrays())
    except Exception as error:  # zarr and its codecs have no common class of errors
        raise InputError(f"{path}: cannot be read ({first_line(error)}); write it again with zarr") from error
    if store.attrs.get("encoding-type") == "anndata":
        raise InputError(f"{path}: holds AnnData; write it as .h5ad: anndata.read_zarr(path).write_h5ad(file)")

    def rows(name: str) -> Rows:
        return disk_rows(f"{path}: array {name!r}", items[name], items[name].oindex.__getitem__)

    if items:
        return open_keyed(str(path), path.stem, items, rows, preparation)
    if not isinstance(store, zarr.Array):
        raise InputError(f"{path}: holds no array; give it one called 'image', 'x', 'counts' or 'tokens'")
    single = disk_rows(str(path), store, store.oindex.__getitem__)
    return open_single(str(path), path.stem, str(path.with_suffix(".npz")), single, preparation)
