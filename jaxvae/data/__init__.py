"""Data sets, by name or from the user's files."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeAlias

from jaxvae.data.attributes import named_attributes
from jaxvae.data.dataset import Dataset, Split
from jaxvae.data.places import exists, is_function, is_scheme
from jaxvae.data.preparation import Preparation, prepare
from jaxvae.data.rows import Rows
from jaxvae.data.sources.digits import load_digits
from jaxvae.data.sources.folders import open_folder
from jaxvae.data.sources.h5ad import open_h5ad
from jaxvae.data.sources.hdf5 import open_hdf5
from jaxvae.data.sources.npy import open_npy
from jaxvae.data.sources.npz import open_npz
from jaxvae.data.sources.own import find_function, open_own
from jaxvae.data.sources.recipes import file_advice
from jaxvae.data.sources.records import open_records, record_files, write_array_record
from jaxvae.data.sources.tables import open_csv, open_parquet
from jaxvae.data.sources.tars import TARS, open_tar
from jaxvae.data.sources.text import ENDS as TEXT_ENDS
from jaxvae.data.sources.text import is_text, open_text
from jaxvae.data.sources.tfds_sets import TFDS_SETS, open_tfds
from jaxvae.data.sources.zarrs import open_zarr
from jaxvae.errors import InputError, did_you_mean

__all__ = [
    "Dataset",
    "Preparation",
    "Rows",
    "Split",
    "is_named",
    "is_place",
    "kind_by_name",
    "load",
    "named_attributes",
    "write_array_record",
]

_Opener: TypeAlias = Callable[[Path | None, Path | None], Dataset]

_SETS: dict[str, _Opener] = {
    "digits": lambda data_dir, manual_dir: load_digits(),
    **{name: partial(open_tfds, name) for name in TFDS_SETS},
}

_FILES: dict[str, Callable[[Path, Preparation], Dataset]] = {
    ".npz": open_npz,
    ".npy": open_npy,
    ".csv": open_csv,
    ".tsv": open_csv,
    ".parquet": open_parquet,
    ".h5ad": open_h5ad,
    **dict.fromkeys((".h5", ".hdf5"), open_hdf5),
    ".zarr": open_zarr,
    **dict.fromkeys(TARS, open_tar),
    **dict.fromkeys(TEXT_ENDS, open_text),
}
"""Functions that open a file, by the end of its name."""


def is_named(name: str) -> bool:
    """Return True for a set with a name here, False for the user's files."""
    return name in _SETS


def is_place(name: str) -> bool:
    """Return True for a path on this disk, False for the name of a set or of a function.

    >>> is_place("faces.npz"), is_place("mnist"), is_place("tfds:cifar10"), is_place("mine:load")
    (True, False, False, False)
    """
    return not (is_named(name) or is_scheme(name) or is_function(name))


def kind_by_name(name: str) -> str | None:
    """Return what a set holds if its name tells: images, tokens or counts; None where its content must tell.

    >>> kind_by_name("mnist"), kind_by_name("mine.txt"), kind_by_name("mine.npz")
    ('images', 'tokens', None)
    """
    if is_named(name):
        return "images"
    if not is_place(name):
        return None
    ends = {**dict.fromkeys(TEXT_ENDS, "tokens"), ".h5ad": "counts"}
    ends |= dict.fromkeys((".array_record", *TARS), "images")
    return next((kind for end, kind in ends.items() if name.lower().endswith(end)), None)


def load(
    name: str,
    data_dir: str | Path | None = None,
    manual_dir: str | Path | None = None,
    *,
    stream: bool = False,
    preparation: Preparation | None = None,
) -> Dataset:
    """Load a data set into memory, or open it; an unprepared TFDS set is downloaded and prepared first.

    Args:
      name: `digits`, `mnist`, `fashion_mnist`, `binarized_mnist`, or the path of a file (`.npz`, `.npy`, `.csv`,
        `.tsv`, `.parquet`, `.h5ad`, `.txt`, `.txt.gz`, `.array_record`) or of a folder of images, texts or
        `.array_record` files.
      data_dir: folder in which TFDS keeps its sets; by default `$TFDS_DATA_DIR`, then `~/tensorflow_datasets`.
      manual_dir: folder with a TFDS set's original files, used in place of a download; by default
        `<data_dir>/downloads/manual`.
      stream: leave images on disk and read them when they are needed; arrays of an `.npz` file, and sets from a
        package, are in memory nevertheless.
      preparation: size and background of the examples; by default images keep their size, and transparent ones get a
        white background.

    Raises:
      InputError: there is no such set, or it cannot be loaded, or its files are invalid.
    """
    preparation = preparation or Preparation()
    preparation.check()
    data = _open(name, _expand(data_dir), _expand(manual_dir), preparation)
    return data if stream else data.in_memory()


def _open(name: str, data_dir: Path | None, manual_dir: Path | None, preparation: Preparation) -> Dataset:
    if name in _SETS:
        return prepare(_SETS[name](data_dir, manual_dir), preparation)
    if is_function(name):
        return open_own(name, find_function(name)(), preparation)
    path = exists(name)
    if path is None:
        raise InputError(_unknown(str(name)))
    if record_files(path):
        return open_records(path, preparation)
    if path.is_dir() and not path.name.lower().endswith(".zarr"):
        return (open_text if is_text(path) else open_folder)(path, preparation)
    for end, opener in _FILES.items():
        if path.name.lower().endswith(end):
            return opener(path, preparation)
    raise InputError(file_advice(path))


def _expand(folder: str | Path | None) -> Path | None:
    return Path(folder).expanduser() if folder else None


def _unknown(name: str) -> str:
    known = f"{', '.join(_SETS)}{did_you_mean(name, _SETS)}"
    return f"dataset: {name!r} is neither one of {known} nor an existing file or folder"
