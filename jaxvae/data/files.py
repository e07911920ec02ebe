"""The user's own images: an `.npz` file, or a folder."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

import numpy as np

from jaxvae.data.dataset import Dataset
from jaxvae.data.partition import TEST, TRAIN, VALIDATION, divide, tenths
from jaxvae.types import InputError, first_line

_SUFFIXES = {".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}


def load_npz(path: Path) -> Dataset:
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


def load_folder(path: Path) -> Dataset:
    """Read a data set from a folder of equally large images, and divide it 80/10/10 by a fixed permutation.

    Where every image lies in a subfolder, one level down, the subfolders in sorted order are the labels. Grey
    images have 1 channel; where any has colours, all have 3.
    """
    files = sorted(file for file in path.rglob("*") if file.suffix.lower() in _SUFFIXES)
    if not files:
        raise InputError(f"{path}: holds no image; files of these kinds are read: {' '.join(sorted(_SUFFIXES))}")
    images = [_read_image(file) for file in files]
    _check_sizes(files, images)
    channels = max(image.shape[-1] for image in images)
    pixels = np.stack([np.broadcast_to(image, (*image.shape[:2], channels)) for image in images])
    return divide(path.resolve().name, pixels, _folder_labels(path, files), tenths(path, len(files)))


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


def _read_image(file: Path) -> np.ndarray:
    """`[H, W, 1]` if the image is grey, else `[H, W, 3]`."""
    from PIL import Image

    try:
        with Image.open(file) as image:
            if image.mode.startswith(("I", "F")):
                raise ValueError(f"more than 8 bits a pixel: mode {image.mode}")
            return np.atleast_3d(np.asarray(image.convert("L" if image.mode in ("1", "L", "LA") else "RGB")))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(f"{file}: not a readable image ({first_line(error)}); repair, convert or remove it") from error


def _check_sizes(files: list[Path], images: list[np.ndarray]) -> None:
    height, width = images[0].shape[:2]
    for file, image in zip(files, images):
        if image.shape[:2] != (height, width):
            found = f"{image.shape[1]}x{image.shape[0]} pixels where {files[0]} has {width}x{height}"
            raise InputError(f"{file}: {found}; bring all images to one size")


def _folder_labels(path: Path, files: list[Path]) -> np.ndarray | None:
    if any(file.parent.parent != path for file in files):
        return None
    classes = sorted({file.parent.name for file in files})
    return np.array([classes.index(file.parent.name) for file in files], np.int32)
