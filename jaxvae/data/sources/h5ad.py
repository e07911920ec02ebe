"""Counts of cells in an `.h5ad` file, as AnnData writes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from jaxvae.data.dataset import Dataset
from jaxvae.data.memory import check_fits
from jaxvae.data.partition import divided
from jaxvae.data.preparation import Preparation
from jaxvae.data.sources.cells import Cells, whole_set
from jaxvae.data.sources.columns import Column, number_column
from jaxvae.errors import InputError, first_line
from jaxvae.packages import needed_by


def open_h5ad(path: Path, preparation: Preparation) -> Dataset:
    """Read a data set of cells from a file, see `read_h5ad`."""
    return divided(str(path), path.stem, whole_set(str(path), read_h5ad(path), preparation))


def read_h5ad(path: Path) -> Cells:
    """Read the matrix `X` `[cells, genes]` of raw counts, dense or sparse, with the cells' columns in `obs`.

    Raises:
        InputError: the file is damaged, or X is no matrix of numbers.
    """
    h5py = needed_by(path, "h5py")
    try:
        with h5py.File(path) as file:
            counts, genes = _matrix(path, file), _names(file["var"])
            found = (_column(f"{path}: obs {name!r}", name, item, len(counts)) for name, item in file["obs"].items())
            return Cells(counts, genes, [column for column in found if column is not None])
    except InputError:
        raise
    except (OSError, LookupError, ValueError, TypeError, RuntimeError, AttributeError) as error:
        raise InputError(f"{path}: cannot be read ({first_line(error)}); write it again with AnnData") from error


def _matrix(path: Path, file: Any) -> np.ndarray:
    """Read X into a dense array of its own type, after a comparison of its size with the memory."""
    stored = file["X"]
    sparse = not hasattr(stored, "dtype")
    shape = tuple(int(size) for size in (stored.attrs["shape"] if sparse else stored.shape))
    dtype = (stored["data"] if sparse else stored).dtype
    if len(shape) != 2 or dtype.kind not in "iuf":
        raise InputError(f"{path}: X is {dtype} {shape}; give counts [cells, genes]")
    # Dense, and once more as int32.
    check_fits(f"{path}: X {shape}", shape[0] * shape[1] * (dtype.itemsize + 4), "keep fewer genes")
    if not sparse:
        return np.asarray(stored[:])
    kind = stored.attrs["encoding-type"]
    if kind not in ("csr_matrix", "csc_matrix"):
        raise InputError(f"{path}: X is {kind!r}; write it as csr_matrix or csc_matrix")
    needed = sum(stored[name].size * stored[name].dtype.itemsize for name in ("data", "indices", "indptr"))
    check_fits(f"{path}: X", needed, "keep fewer genes")
    major, minor = (0, 1) if kind == "csr_matrix" else (1, 0)
    data, indices, pointers = (stored[name][:] for name in ("data", "indices", "indptr"))
    if len(pointers) != shape[major] + 1 or len(data) != len(indices) or pointers[-1] != len(data):
        raise InputError(f"{path}: X is a damaged {kind}; write it again with AnnData")
    if len(indices) and not 0 <= indices.min() <= indices.max() < shape[minor]:
        raise InputError(f"{path}: X is a damaged {kind}; write it again with AnnData")
    numbers = np.repeat(np.arange(shape[major]), np.diff(pointers))
    dense = np.zeros(shape, dtype)
    np.add.at(dense, (numbers, indices) if major == 0 else (indices, numbers), data)
    return dense


def _names(table: Any) -> np.ndarray:
    """Read the names of a table's rows."""
    return np.array(_strings(table[table.attrs.get("_index", "_index")][:]))


def _column(what: str, name: str, item: Any, num: int) -> Column | None:
    """Read a column of numbers or of categories with names; None for others, such as the names of the cells."""
    if hasattr(item, "dtype"):
        if item.dtype.kind not in "iuf" or item.shape != (num,):
            return None
        return number_column(what, name, item[:], np.ones(num, bool))
    if item.attrs.get("encoding-type") != "categorical" or item["codes"].shape != (num,):
        return None
    codes, names = item["codes"][:].astype(np.int32), _strings(item["categories"][:])
    if codes.max(initial=0) >= len(names):
        raise InputError(f"{what} is damaged; write it again with AnnData")
    return Column(name, codes, codes >= 0, tuple(names))


def _strings(stored: np.ndarray) -> list[str]:
    return [name.decode() if isinstance(name, bytes) else str(name) for name in stored]
