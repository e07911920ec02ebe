"""Files of new examples, in their own order."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from jaxvae.data.images import image_rows
from jaxvae.data.places import HUB, TFDS, exists
from jaxvae.data.preparation import Preparation
from jaxvae.data.sources.archive import READ_ERRORS
from jaxvae.data.sources.described import Described, read_described
from jaxvae.data.sources.features import Chosen
from jaxvae.data.sources.h5ad import read_h5ad
from jaxvae.data.sources.hdf5 import read_hdf5
from jaxvae.data.sources.hub import describe_hub
from jaxvae.data.sources.molecules import holds_molecules, read_smiles
from jaxvae.data.sources.npz import read_npz
from jaxvae.data.sources.objects import Stored
from jaxvae.data.sources.recipes import IMAGES
from jaxvae.data.sources.tables import read_csv, read_parquet
from jaxvae.data.sources.tars import TARS, tar_files
from jaxvae.data.sources.text import ENDS as TEXT_ENDS
from jaxvae.data.sources.text import read_lines
from jaxvae.data.sources.tfds_named import describe_tfds
from jaxvae.data.sources.trees import ImageFile, is_passed_over, survey_pages
from jaxvae.data.sources.zarrs import read_zarr
from jaxvae.errors import InputError, first_line


def read_path(name: str | Path, preparation: Preparation) -> Stored:
    """Read a file, all images of a folder and its subfolders or of an archive, or a set by its name.

    Images are in the order of their names, splits of a set one after another.

    Args:
        name: path of the file or folder, or the name of a set, `tfds:NAME` or `hf:NAME`.
        preparation: size and background of images.

    Raises:
        InputError: there is no such file, or it is damaged, or of a kind that is not read.
    """
    for scheme, describe in _SETS.items():
        if str(name).startswith(scheme):
            return read_described(*describe(str(name)), preparation)
    path = exists(str(name))
    if path is None:
        raise InputError(
            f"x: there is no file {str(name)[:80]!r}; give the path of one, or examples, sentences as a list"
        )
    for end, reader in _READERS.items():
        if path.name.lower().endswith(end) and (path.is_file() or reader is read_zarr):
            return reader(path)
    if path.name.lower().endswith(TARS) and path.is_file():
        return _decoded(path, tar_files(path)[0], preparation)
    if path.is_dir() or path.suffix.lower() in IMAGES:
        return _decoded(path, _image_files(path), preparation)
    ends = ", ".join((*_READERS, ".tar"))
    raise InputError(f"x: {path.name} is of a kind that is not read here; give {ends}, or an image")


def _image_files(path: Path) -> list[ImageFile]:
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if _is_image(file.relative_to(path)))
    if not files:
        raise InputError(f"x: {path} holds no images; name a folder that does")
    return [ImageFile(file.parts, str(file), partial(_open, file)) for file in files]


def _decoded(path: Path, files: list[ImageFile], preparation: Preparation) -> np.ndarray:
    pages, form = survey_pages(path, files, preparation)
    image: np.ndarray = image_rows([page for of_file in pages for page in of_file], form)[:]
    return image


def _is_image(file: Path) -> bool:
    return file.suffix.lower() in IMAGES and not any(map(is_passed_over, file.parts))


def _open(file: Path) -> BinaryIO:
    return file.open("rb")


def _read_npy(path: Path) -> np.ndarray:
    try:
        array: np.ndarray = np.load(path, allow_pickle=False)
    except READ_ERRORS as error:
        raise InputError(f"{path}: cannot be read ({first_line(error)}); save numbers with numpy.save") from error
    return array


def _read_csv(path: Path) -> Stored:
    return read_smiles(path) if holds_molecules(path) else read_csv(path)


_READERS: dict[str, Callable[[Path], Any]] = {
    ".npz": lambda path: read_npz(path)[0],
    ".npy": _read_npy,
    ".csv": _read_csv,
    ".csv.gz": read_smiles,
    ".tsv": read_csv,
    ".parquet": read_parquet,
    ".h5ad": read_h5ad,
    **dict.fromkeys((".h5", ".hdf5"), read_hdf5),
    ".zarr": read_zarr,
    **dict.fromkeys(TEXT_ENDS, read_lines),
}
"""Functions that read a file, by the end of its name."""
_SETS: dict[str, Callable[[str], tuple[Described, Chosen]]] = {TFDS: describe_tfds, HUB: describe_hub}
"""Functions that describe a set, by the beginning of its name."""
