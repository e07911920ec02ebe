"""The user's own images: a folder of files."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from operator import attrgetter
from pathlib import Path

import numpy as np

from jaxvae.data.classes import class_order
from jaxvae.data.dataset import Dataset, Split
from jaxvae.data.images import Shape, common_shape, decode_images, image_shape, readable
from jaxvae.data.partition import divide, tenths
from jaxvae.data.rows import LazyRows
from jaxvae.types import InputError

_SUFFIXES = {".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}


def open_folder(path: Path) -> Dataset:
    """Open a folder of equally large images as a data set, and divide it 80/10/10 by a fixed permutation.

    Where every image lies in a subfolder, one level down, the subfolders in sorted order are the labels. Grey
    images have 1 channel; where any has colours, all have 3.
    """
    files = sorted((file for file in path.rglob("*") if file.suffix.lower() in _SUFFIXES), key=attrgetter("parts"))
    if not files:
        raise InputError(f"{path}: holds no image; files of these kinds are read: {' '.join(sorted(_SUFFIXES))}")
    shapes: dict[Shape, str] = {}
    for file in files:
        shapes.setdefault(_read_shape(file), str(file))
    shape = common_shape(shapes)
    image = LazyRows(partial(_read_images, files, shape), (len(files), *shape))
    label, classes = _folder_labels(path, files)
    data = divide(path.resolve().name, Split(image, label), tenths(path, len(files)))
    return data._replace(classes=classes)


def _read_shape(file: Path) -> Shape:
    with readable(str(file)):
        stream = file.open("rb")
    with stream:
        return image_shape(stream, str(file))


def _read_images(files: Sequence[Path], shape: Shape, ids: np.ndarray) -> np.ndarray:
    chosen = [files[i] for i in ids]
    return decode_images([_read_bytes(file) for file in chosen], [str(file) for file in chosen], shape)


def _read_bytes(file: Path) -> bytes:
    with readable(str(file)):
        return file.read_bytes()


def _folder_labels(path: Path, files: list[Path]) -> tuple[np.ndarray | None, tuple[str, ...]]:
    if any(file.parent.parent != path for file in files):
        return None, ()
    classes = class_order(file.parent.name for file in files)
    return np.array([classes.index(file.parent.name) for file in files], np.int32), classes
