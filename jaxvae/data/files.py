"""The user's own images: an `.npz` file, or a folder."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from functools import partial
from operator import attrgetter
from pathlib import Path

import numpy as np

from jaxvae.data.dataset import Dataset
from jaxvae.data.images import Shape, common_shape, decode_images, image_shape, readable
from jaxvae.data.partition import TEST, TRAIN, VALIDATION, divide, tenths
from jaxvae.data.rows import LazyRows
from jaxvae.types import InputError, first_line

_SUFFIXES = {".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}


def open_npz(path: Path) -> Dataset:
    """Read a data set from an `.npz` file.

    It holds `image` (`[N, H, W]`, `[N, H, W, C]` or `[N, D]`; uint8, or floats in [0, 1]) and may hold `label`
    (`[N]` integers) and `split` (`[N]`: 0 train, 1 validation, 2 test). Without `split` a fixed permutation
    divides the set 80/10/10.
    """
    arrays = _read_arrays(path)
    if "image" not in arrays:
        raise InputError(f"{path}: no array 'image'; save it with numpy.savez(file, image=...)")
    image = _check_image(path, arrays["image"])
    label = _check_integers(path, "label", arrays.get("label"), len(image))
    parts = _check_integers(path, "split", arrays.get("split"), len(image))
    if parts is None:
        parts = tenths(path, len(image))
    elif not {TRAIN, TEST} <= set(parts) <= {TRAIN, VALIDATION, TEST}:
        found = np.unique(parts).tolist()
        raise InputError(f"{path}: array 'split' holds {found}; use 0 train, 1 validation (optional), 2 test")
    return divide(path.stem, image, label, parts)


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
    return divide(path.resolve().name, image, _folder_labels(path, files), tenths(path, len(files)))


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    arrays, name = {}, "image"
    try:
        # Opened here, because NumPy leaves a broken archive open.
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            for name in ("image", "label", "split"):
                if name in file:
                    arrays[name] = file[name]
    except (OSError, EOFError, RuntimeError, TypeError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        found = f"array {name!r} cannot be read ({first_line(error)})"
        raise InputError(f"{path}: {found}; save arrays of numbers with numpy.savez") from error
    return arrays


def _check_image(path: Path, image: np.ndarray) -> np.ndarray:
    """Bring `image` to the form in which a split holds it, or say what is wrong with it."""

    def refuse(found: str, remedy: str) -> InputError:
        return InputError(f"{path}: array 'image' {found}; {remedy}")

    if image.ndim not in (2, 3, 4):
        raise refuse(f"has shape {image.shape}", "give [N, H, W], [N, H, W, C] or [N, D]")
    if 0 in image.shape:
        raise refuse(f"is empty: {image.shape}", "give at least 2 examples")
    if image.dtype == np.uint8:
        if image.max() <= 1:
            raise refuse("is uint8 with no value above 1", "white is 255: multiply by 255")
    elif image.dtype.kind != "f":
        raise refuse(f"has dtype {image.dtype}", "give uint8, or floats in [0, 1]")
    elif not np.isfinite(image).all():
        raise refuse("holds NaN or infinity", "clean it first")
    elif image.min() < 0 or image.max() > 1:
        raise refuse(f"holds floats from {image.min():g} to {image.max():g}", "scale them to [0, 1]")
    else:
        image = image.astype(np.float32)
    return image[..., None] if image.ndim == 3 else image


def _check_integers(path: Path, name: str, array: np.ndarray | None, length: int) -> np.ndarray | None:
    if array is None:
        return None
    if array.dtype.kind not in "iu" or array.shape != (length,):
        found = f"is {array.dtype} {array.shape}"
        raise InputError(f"{path}: array {name!r} {found}; give integers of shape ({length},), one per image")
    return array.astype(np.int32)


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


def _folder_labels(path: Path, files: list[Path]) -> np.ndarray | None:
    if any(file.parent.parent != path for file in files):
        return None
    classes = sorted({file.parent.name for file in files})
    return np.array([classes.index(file.parent.name) for file in files], np.int32)
