"""Arrays in a Zarr store, with the keys of an `.npz` file, or a single one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jaxvae.data.dataset import Dataset
from jaxvae.data.preparation import Preparation
from jaxvae.data.rows import Rows
from jaxvae.data.sources.disk import disk_rows, open_keyed, open_single, read_keyed
from jaxvae.errors import InputError, first_line
from jaxvae.packages import needed_by


def open_zarr(path: Path, preparation: Preparation) -> Dataset:
    """Open a store of Zarr format 2 or 3; examples are read when they are needed.

    Raises:
        InputError: the store cannot be read, or an array cannot be used, see `keyed.whole_set`.
    """
    single, items = _arrays(path)

    def rows(name: str) -> Rows:
        return disk_rows(f"{path}: array {name!r}", items[name], items[name].oindex.__getitem__)

    if single is None:
        return open_keyed(str(path), path.stem, items, rows, preparation)
    whole = disk_rows(str(path), single, single.oindex.__getitem__)
    return open_single(str(path), path.stem, str(path.with_suffix(".npz")), whole, preparation)


def read_zarr(path: Path) -> Any:
    """Read the arrays of examples into memory, see `disk.read_keyed`, or a single array."""
    single, items = _arrays(path)
    return read_keyed(str(path), items) if single is None else read_keyed(str(path), {"x": single})["x"]


def _arrays(path: Path) -> tuple[Any, dict[str, Any]]:
    """Return the array that a store is, or None, and the arrays that it holds."""
    zarr = needed_by(path, "zarr")
    try:
        store: Any = zarr.open(path, mode="r")
        items = {} if isinstance(store, zarr.Array) else dict(store.arrays())
    except Exception as error:  # zarr and its codecs have no common class of errors
        raise InputError(f"{path}: cannot be read ({first_line(error)}); write it again with zarr") from error
    if store.attrs.get("encoding-type") == "anndata":
        raise InputError(f"{path}: holds AnnData; write it as .h5ad: anndata.read_zarr(path).write_h5ad(file)")
    if isinstance(store, zarr.Array):
        return store, {}
    if not items:
        raise InputError(f"{path}: holds no array; give it one called 'image', 'x', 'counts' or 'tokens'")
    return None, items
