"""The user's own images in an `.npz` file, with labels and whatever else is known of them."""

from __future__ import annotations

import io
import itertools
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from jaxvae.data.dataset import Dataset, Split
from jaxvae.data.images import Shape, common_shape, decode_images, image_shape
from jaxvae.data.partition import TEST, TRAIN, VALIDATION, divide, tenths
from jaxvae.data.rows import LazyRows
from jaxvae.types import InputError, first_line

_ENCODED = ("png", "jpeg", "webp")
_READ_ERRORS = (
    *(ArithmeticError, EOFError, MemoryError, OSError, RuntimeError, SyntaxError, TypeError, ValueError),
    *(zipfile.BadZipFile, zlib.error),
)
"""What NumPy meets in damaged archives."""
_RESERVED = ("image", *_ENCODED, "offset", "label", "split")


def open_npz(path: Path) -> Dataset:
    """Read a data set from an `.npz` file.

    It holds `image` (`[N, H, W]`, `[N, H, W, C]` or `[N, D]`; uint8, or floats), or image files: `png`,
    `jpeg` or `webp`, the uint8 bytes of all files one after another, and `offset` (`[N + 1]` integers), where file i
    is `webp[offset[i]:offset[i + 1]]`. It may hold `label` (`[N]` integers) and `split` (`[N]`: 0 train, 1
    validation, 2 test); without `split` a fixed permutation divides the set 80/10/10. Any other array of `[N]`
    numbers is an attribute of that name.
    """
    arrays = _read_arrays(path)
    image = _find_image(path, arrays)
    label = _check_integers(path, "label", arrays.get("label"), len(image))
    parts = _check_integers(path, "split", arrays.get("split"), len(image))
    if parts is None:
        parts = tenths(path, len(image))
    elif not {TRAIN, TEST} <= set(parts) <= {TRAIN, VALIDATION, TEST}:
        found = np.unique(parts).tolist()
        raise InputError(f"{path}: array 'split' holds {found}; use 0 train, 1 validation (optional), 2 test")
    return divide(path.stem, Split(image, label, _attributes(arrays, len(image))), parts)


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    arrays, name = {}, "image"
    try:
        # Opened here, because NumPy leaves a broken archive open.
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            for name in (*(name for name in _RESERVED if name in file), *sorted(set(file.files) - {*_RESERVED})):
                try:
                    arrays[name] = file[name]
                except ValueError:  # Python objects: of no use here, and no harm where nobody asks for them
                    if name in _RESERVED:
                        raise
    except _READ_ERRORS as error:
        found = f"array {name!r} cannot be read ({first_line(error)})"
        raise InputError(f"{path}: {found}; save arrays of numbers with numpy.savez") from error
    return arrays


def _find_image(path: Path, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    found = [name for name in ("image", *_ENCODED) if name in arrays]
    if not found:
        raise InputError(f"{path}: no array 'image'; save it with numpy.savez(file, image=...)")
    if len(found) > 1:
        raise InputError(f"{path}: arrays {' and '.join(map(repr, found))}; keep one of them")
    if found == ["image"]:
        return _check_image(path, arrays["image"])
    return _decode(path, found[0], arrays[found[0]], arrays.get("offset"))


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
    elif not np.isfinite(image := image.astype(np.float32)).all():
        raise refuse("holds floats that float32 cannot", "scale them")
    return image[..., None] if image.ndim == 3 else image


def _decode(path: Path, kind: str, content: np.ndarray, offset: np.ndarray | None) -> np.ndarray:
    """`[N, H, W, C]` from image files; where no pixel of any has a colour C is 1, because WebP knows no grey."""
    if content.dtype != np.uint8 or content.ndim != 1:
        raise InputError(f"{path}: array {kind!r} is {content.dtype} {content.shape}; give the files' uint8 bytes")
    offset = _check_offset(path, kind, offset, len(content))
    files = [content[first:last].tobytes() for first, last in itertools.pairwise(offset)]
    shapes: dict[Shape, str] = {}
    for i, file in enumerate(files):
        shapes.setdefault(image_shape(io.BytesIO(file), _name(path, kind, i)), _name(path, kind, i))
    shape = common_shape(shapes)

    def read(ids: np.ndarray) -> np.ndarray:
        return decode_images([files[i] for i in ids], [_name(path, kind, i) for i in ids], shape)

    image = LazyRows(read, (len(files), *shape))[:]
    # Greys that were luminances come back with channels that differ by a rounding, green's the least.
    colourless = np.ptp(image, axis=-1).max() <= 1
    return image[..., 1:2] if colourless and shape[2] == 3 else image


def _check_offset(path: Path, kind: str, offset: np.ndarray | None, length: int) -> np.ndarray:
    remedy = f"give [N + 1] integers that rise from 0 to {length}, where each file of {kind!r} begins and the last ends"
    if offset is None:
        raise InputError(f"{path}: no array 'offset'; {remedy}")
    if offset.dtype.kind not in "iu" or offset.ndim != 1 or len(offset) < 2:
        raise InputError(f"{path}: array 'offset' is {offset.dtype} {offset.shape}; {remedy}")
    offset = offset.astype(np.int64)
    if offset[0] != 0 or offset[-1] != length or (np.diff(offset) < 0).any():
        found = f"from {offset[0]} to {offset[-1]}" if (np.diff(offset) >= 0).all() else "not in order"
        raise InputError(f"{path}: array 'offset' is {found}; {remedy}")
    return offset


def _name(path: Path, kind: str, index: int) -> str:
    return f"{path}: file {index} of array {kind!r}"


def _check_integers(path: Path, name: str, array: np.ndarray | None, length: int) -> np.ndarray | None:
    if array is None:
        return None
    if array.dtype.kind not in "iu" or array.shape != (length,):
        found = f"is {array.dtype} {array.shape}"
        raise InputError(f"{path}: array {name!r} {found}; give integers of shape ({length},), one per image")
    if array.min() < 0 or array.max() >= 2**31:
        found = f"holds numbers from {array.min()} to {array.max()}"
        raise InputError(f"{path}: array {name!r} {found}; number classes from 0, or leave it out")
    return array.astype(np.int32)


def _attributes(arrays: Mapping[str, np.ndarray], length: int) -> dict[str, np.ndarray]:
    numbers = {name: array for name, array in arrays.items() if array.dtype.kind in "biuf" and array.shape == (length,)}
    return {
        name: array.astype(np.int32) if array.dtype.kind == "b" else array
        for name, array in numbers.items()
        if name not in _RESERVED
    }
