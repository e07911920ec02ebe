"""Data sets by name, or from the user's own files."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeAlias

from jaxvae.data.dataset import Dataset, Split
from jaxvae.data.digits import load_digits
from jaxvae.data.files import load_folder, load_npz
from jaxvae.data.tfds_sets import TFDS_SETS, load_tfds
from jaxvae.types import InputError

__all__ = ["Dataset", "Split", "load"]

_Loader: TypeAlias = Callable[[Path | None, Path | None], Dataset]

_SETS: dict[str, _Loader] = {
    "digits": lambda data_dir, manual_dir: load_digits(),
    **{name: partial(load_tfds, name) for name in TFDS_SETS},
}


def load(name: str, data_dir: str | Path | None = None, manual_dir: str | Path | None = None) -> Dataset:
    """Load a data set into memory; a TFDS set that is not prepared yet is downloaded and prepared first.

    Args:
      name: `digits`, `mnist`, `fashion_mnist`, `binarized_mnist`, or the path of an `.npz` file or of a
        folder of images.
      data_dir: where TFDS keeps its sets; by default `$TFDS_DATA_DIR`, then `~/tensorflow_datasets`.
      manual_dir: folder with a TFDS set's original files, used in place of a download; by default
        `<data_dir>/downloads/manual`.

    Raises:
      InputError: there is no such set, or it cannot be had, or its files are not as they must be.
    """
    if name in _SETS:
        return _SETS[name](_expand(data_dir), _expand(manual_dir))
    path = Path(name).expanduser()
    if path.is_dir():
        return load_folder(path)
    if path.is_file() and path.suffix == ".npz":
        return load_npz(path)
    raise InputError(_unknown(str(name)))


def _expand(folder: str | Path | None) -> Path | None:
    return Path(folder).expanduser() if folder else None


def _unknown(name: str) -> str:
    nearest = difflib.get_close_matches(name, _SETS, n=1)
    hint = f" (did you mean {nearest[0]!r}?)" if nearest else ""
    return f"data {name!r}: give one of {', '.join(_SETS)}{hint}, or an existing .npz file or folder of images"
