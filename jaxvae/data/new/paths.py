"""Files of new examples, in their own order."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from jaxvae.data.headers import read_headers, readable
from jaxvae.data.images import Page, image_rows
from jaxvae.data.places import exists
from jaxvae.data.preparation import Preparation
from jaxvae.data.sources.archive import READ_ERRORS
from jaxvae.data.sources.h5ad import read_h5ad
from jaxvae.data.sources.npz import read_npz
from jaxvae.data.sources.objects import Stored
from jaxvae.data.sources.recipes import IMAGES
from jaxvae.data.sources.tables import read_csv, read_parquet
from jaxvae.data.sources.text import ENDS as TEXT_ENDS
from jaxvae.data.sources.text import read_lines
from jaxvae.data.sources.trees import is_passed_over
from jaxvae.data.survey import Survey
from jaxvae.errors import InputError, first_line


def read_path(name: str | Path, preparation: Preparation) -> Stored:
    """Read a file, or all images of a folder and its subfolders, in the order of their names.

    Args:
        name: path of the file or folder.
        preparation: size and background of images.

    Raises:
        InputError: there is no such file, or it is damaged, or of a kind that is not read.
    """
    path = exists(str(name))
    if path is None:
        raise InputError(
            f"x: there is no file {str(name)[:80]!r}; give the path of one, or examples, sentences as a list"
        )
    if path.is_dir() or path.suffix.lower() in IMAGES:
        return _read_images(path, preparation)
    for end, reader in _READERS.items():
        if path.name.lower().endswith(end):
            return reader(path)
    raise InputError(f"x: {path.name} is of a kind that is not read here; give {', '.join(_READERS)}, or an image")


def _read_images(path: Path, preparation: Preparation) -> np.ndarray:
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if _is_image(file.relative_to(path)))
    if not files:
        raise InputError(f"x: {path} holds no images; name a folder that does")
    survey, pages = Survey(), []
    for file in files:
        with readable(str(file)), file.open("rb") as stream:
            headers = read_headers(stream, str(file))
        for number, header in headers.items():
            survey.add(header, str(file))
            pages.append(Page(str(file), partial(_open, file), number))
    image: np.ndarray = image_rows(pages, survey.form(str(path), preparation))[:]
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


_READERS: dict[str, Callable[[Path], Any]] = {
    ".npz": lambda path: read_npz(path)[0],
    ".npy": _read_npy,
    ".csv": read_csv,
    ".tsv": read_csv,
    ".parquet": read_parquet,
    ".h5ad": read_h5ad,
    **dict.fromkeys(TEXT_ENDS, read_lines),
}
"""Functions that read a file, by the end of its name."""
