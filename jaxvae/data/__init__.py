"""Data sets, by name or from the user's files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from jaxvae import stores
from jaxvae.data.attributes import named_attributes
from jaxvae.data.dataset import Dataset, Split
from jaxvae.data.new import new_rows
from jaxvae.data.places import HUB, MEMORY, TFDS, exists, is_function, is_scheme, joined, stem
from jaxvae.data.preparation import Preparation, prepare
from jaxvae.data.rows import Rows
from jaxvae.data.sources.digits import load_digits
from jaxvae.data.sources.folders import open_folder
from jaxvae.data.sources.forest import load_brackets, load_forest
from jaxvae.data.sources.grammar import load_grammar
from jaxvae.data.sources.h5ad import open_h5ad
from jaxvae.data.sources.hdf5 import open_hdf5
from jaxvae.data.sources.hub import open_hub
from jaxvae.data.sources.in_memory import open_object
from jaxvae.data.sources.melodies import holds_melodies, open_melodies
from jaxvae.data.sources.molecules import holds_molecules, open_molecules
from jaxvae.data.sources.npy import open_npy
from jaxvae.data.sources.npz import open_npz
from jaxvae.data.sources.own import find_function
from jaxvae.data.sources.recipes import file_advice
from jaxvae.data.sources.records import open_records, record_files, write_array_record
from jaxvae.data.sources.series import open_series
from jaxvae.data.sources.tables import open_csv, open_parquet
from jaxvae.data.sources.tars import TARS, open_tar
from jaxvae.data.sources.text import ENDS as TEXT_ENDS
from jaxvae.data.sources.text import is_text, open_text
from jaxvae.data.sources.tfds_named import open_tfds_by_name
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
    "new_rows",
    "open_data",
    "write_array_record",
]

_Opener: TypeAlias = Callable[[Path | None, Path | None], Dataset]

_SETS: dict[str, _Opener] = {
    "digits": lambda data_dir, manual_dir: load_digits(),
    "grammar": lambda data_dir, manual_dir: load_grammar(),
    "forest": lambda data_dir, manual_dir: load_forest(),
    "brackets": lambda data_dir, manual_dir: load_brackets(),
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
        return "tokens" if name in ("grammar", "brackets") else "images"
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
      name: `digits`, `grammar`, `forest`, `brackets`, `mnist`, `fashion_mnist`, `binarized_mnist`; `tfds:NAME` or
        `hf:NAME`, perhaps with choices such as `?label=NAME`, see `sources.features.choose`; a function,
        `module:function`; or the path of a file (`.npz`, `.npy`, `.h5`, `.hdf5`, `.zarr`, `.csv`, `.tsv`, `.parquet`,
        `.h5ad`, `.txt`, `.txt.gz`, `.tar`, `.tar.gz`, `.array_record`) or of a folder of images, texts, molecules,
        MIDI or `.array_record` files; several sets of melodies are joined by `+`.
      data_dir: folder in which TFDS keeps its sets; by default `$TFDS_DATA_DIR`, then `~/tensorflow_datasets`.
      manual_dir: folder with a TFDS set's original files, used in place of a download; by default
        `<data_dir>/downloads/manual`.
      stream: leave examples on disk and read them when they are needed; `.npz` files, tables, texts, and sets from a
        package are in memory nevertheless.
      preparation: size and background of images, units and lengths of sequences; by default images keep their size,
        and transparent ones get a white background.

    Raises:
      InputError: there is no such set, or it cannot be loaded, or its files are invalid.
    """
    preparation = preparation or Preparation()
    preparation.check()
    if preparation.window is not None and not is_place(name):
        raise InputError(f"window-length: cuts a series in a file, and {name} is none; leave it out")
    data = _open(name, _expand(data_dir), _expand(manual_dir), preparation)
    preparation.refuse_unused(data)
    return data if stream else data.in_memory()


def open_data(
    source: Any,
    data_dir: str | Path | None = None,
    *,
    label: Any = None,
    attributes: Mapping[str, Any] | None = None,
    stream: bool = True,
    preparation: Preparation | None = None,
) -> Dataset:
    """Open a data set from wherever it is: in memory, in a file, or by its name.

    In memory it is what a file of it would be, with the same fingerprint:

    * an array (NumPy, JAX, or anything that `numpy.asarray` takes): `[N, H, W, C]`, `[N, H, W]` uint8 and `[N, H, W]`
      floats in [0, 1] are images, all other floats are vectors `[N, D]` or signals `[N, T]`, `[N, T, C]`;
    * a dict of arrays with the keys of an `.npz` file (`image`, `x`, `counts`, `tokens`, `label`, `split`, ...), which
      says what integers are;
    * a DataFrame of pandas or polars or a table of pyarrow, as a `.parquet` file; an AnnData, as an `.h5ad` file;
      a sparse matrix of counts; a list of sentences, as the lines of a `.txt` file;
    * a pair `(x, label)` of one of these and its labels;
    * a dict of splits, `{"train": ..., "validation": ..., "test": ...}`, each any of these.

    Without splits a fixed permutation divides a set 80/10/10.

    Args:
        source: data set in memory; its name or path, see `load`; a Dataset, which is returned as it is; or a function
            without arguments that returns any of these.
        data_dir: folder in which TFDS keeps its sets.
        label: `[N]` labels of data in memory: integers from 0, or names of classes.
        attributes: `[N]` numbers by name, further attributes of data in memory.
        stream: leave images of files on disk; arrays in memory are not copied, and must stay as they are.
        preparation: size and background of images, units and lengths of sequences.

    Raises:
        InputError: the data cannot be used.

    >>> import numpy as np
    >>> data = open_data(np.linspace(-1, 1, 40).reshape(20, 2), label=["cat", "dog"] * 10)
    >>> data.space, data.classes, data.train.num_examples
    (Real(shape=(2,)), ('cat', 'dog'), 16)
    """
    source = source() if callable(source) else source
    if isinstance(source, Dataset | str | Path) and (label is not None or attributes):
        name = source.name if isinstance(source, Dataset) else source
        raise InputError(f"label: labels and attributes are for data in memory, and {name} has its own; leave them out")
    if isinstance(source, str | Path):
        return load(str(source), data_dir, stream=stream, preparation=preparation)
    preparation = preparation or Preparation()
    preparation.check()
    if preparation.window is not None:
        raise InputError(
            "window-length: cuts a series in a file; save it with numpy.save and give its path, or leave it out"
        )
    if isinstance(source, Dataset) and preparation.changes_size:
        raise InputError(f"preparation: {source.name} is a Dataset already; give it to load")
    data = source if isinstance(source, Dataset) else open_object(source, label, attributes, preparation)
    preparation.refuse_unused(data)
    return data if stream else data.in_memory()


def _open(name: str, data_dir: Path | None, manual_dir: Path | None, preparation: Preparation) -> Dataset:
    if name in _SETS:
        preparation.sequences.refuse_all(name)
        return prepare(_SETS[name](data_dir, manual_dir), preparation)
    if name.startswith(TFDS):
        return open_tfds_by_name(name, data_dir, manual_dir, preparation)
    if name.startswith(HUB):
        return open_hub(name, preparation)
    if name.startswith(MEMORY):
        raise InputError(
            f"dataset: {name.removeprefix(MEMORY)} was in the memory of a program; give the examples again"
        )
    if is_function(name):
        return _open_own(name, preparation)
    paths = [exists(stores.fetched(part)) for part in joined(name)]
    if any(path is None for path in paths):
        raise InputError(_unknown(str(name)))
    return _open_paths([path for path in paths if path is not None], preparation)


def _open_paths(paths: Sequence[Path], preparation: Preparation) -> Dataset:
    """Open a file or folder, or several of melodies together."""
    path, others = paths[0], paths[1:]
    if preparation.window is not None:
        return open_series(path, preparation)
    if all(map(holds_melodies, paths)):
        return open_melodies(paths, preparation)
    if others:
        raise InputError(f"dataset: {path.name} and {others[0].name} are no melodies, which alone are joined by +")
    if holds_molecules(path):
        return open_molecules(path, preparation)
    if record_files(path):
        return open_records(path, preparation)
    if path.is_dir() and not path.name.lower().endswith(".zarr"):
        return (open_text if is_text(path) else open_folder)(path, preparation)
    for end, opener in _FILES.items():
        if path.name.lower().endswith(end):
            return opener(path, preparation)
    raise InputError(file_advice(path))


def _open_own(name: str, preparation: Preparation) -> Dataset:
    """Open what a function of the user returns."""
    source = find_function(name)()
    try:
        data = open_data(source, preparation=preparation)
    except InputError as error:
        raise InputError(f"dataset: {name!r}: {error}") from error
    return data if isinstance(source, Dataset) else data._replace(name=stem(name))


def _expand(folder: str | Path | None) -> Path | None:
    return Path(folder).expanduser() if folder else None


def _unknown(name: str) -> str:
    known = f"{', '.join(_SETS)}{did_you_mean(name, _SETS)}"
    return f"dataset: {name!r} is neither one of {known} nor an existing file or folder"
