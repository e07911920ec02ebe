"""Arrays in an `.npz` file of the user: images, numbers, counts or tokens, with labels and further attributes."""

from __future__ import annotations

import io
import itertools
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np

from jaxvae.data.dataset import Dataset, Split
from jaxvae.data.headers import read_header
from jaxvae.data.images import Page, image_rows
from jaxvae.data.memory import check_fits
from jaxvae.data.partition import TEST, TRAIN, VALIDATION, divide, tenths
from jaxvae.data.preparation import Preparation, prepare_rows, refuse_sizes
from jaxvae.data.rows import Rows, num_bytes
from jaxvae.data.sources.archive import ArrayHeader, read_archive
from jaxvae.data.sources.arrays import KEYS, Found, examples
from jaxvae.data.sources.axes import misplaced_axes
from jaxvae.data.sources.misnamed import image_advice, label_advice, misnamed_label
from jaxvae.data.survey import Survey
from jaxvae.errors import InputError

_ENCODED = ("png", "jpeg", "webp")
_RESERVED = ("image", *_ENCODED, "offset", "label", "split", "classes")


def open_npz(path: Path, preparation: Preparation) -> Dataset:
    """Read a data set from an `.npz` file.

    It holds `image` (`[N, H, W]`, `[N, H, W, C]` or `[N, D]`; uint8, or floats), or image files: `png`,
    `jpeg` or `webp`, the uint8 bytes of all files one after another, and `offset` (`[N + 1]` integers), where file i
    is `webp[offset[i]:offset[i + 1]]`; or, without images, one of `x` and `data` (`[N, D]`, `[N, T]` or `[N, T, C]`
    numbers) and `counts` (`[N, D]`), perhaps with `columns` (`[D]` names), and `tokens` (`[N, T]`), perhaps with
    `vocabulary` (`[V]` words). It may hold `label` (`[N]` integers) with `classes` (`[C]` their names), and
    `split` (`[N]`: 0 train, 1 validation, 2 test); without `split` a fixed permutation divides the set 80/10/10. Any
    other array of `[N]` numbers is an attribute of that name.
    """
    arrays, headers = read_archive(path, _RESERVED, useful=_may_be_attribute)
    if (key := _other_key(path, headers)) is None:
        rows, named = _find_image(path, arrays, headers, preparation)
        found = Found(rows, None, {})
    else:
        refuse_sizes(preparation, str(path))
        found, named = _find_numbers(path, key), {}
    rows = found.rows
    if (name := misnamed_label(headers, len(rows))) is not None:
        remedy = "save it under this name if it holds classes, or under another if it is an attribute"
        raise InputError(f"{path}: array {name!r}; did you mean 'label'? {remedy}")
    label = _check_integers(path, "label", arrays.get("label"), len(rows))
    parts = _check_integers(path, "split", arrays.get("split"), len(rows))
    if parts is None:
        parts = tenths(path, len(rows))
    elif not {TRAIN, TEST} <= set(parts) <= {TRAIN, VALIDATION, TEST}:
        found = np.unique(parts).tolist()
        raise InputError(f"{path}: array 'split' holds {found}; use 0 train, 1 validation (optional), 2 test")
    data = divide(path.stem, Split(rows, label, _attributes(arrays, len(rows))), parts, found.space)
    return data._replace(
        classes=_check_classes(path, arrays.get("classes"), label), preparation=named, facts=found.facts
    )


def _other_key(path: Path, headers: Mapping[str, ArrayHeader]) -> str | None:
    """Return the name of the array of examples in a file without images; `[N]` numbers are an attribute."""
    if any(name in headers for name in ("image", *_ENCODED)):
        return None
    found = [key for key in KEYS if key in headers and len(headers[key].shape) != 1]
    if len(found) > 1:
        raise InputError(f"{path}: arrays {' and '.join(map(repr, found))}; keep one of them")
    return found[0] if found else None


def _find_numbers(path: Path, key: str) -> Found:
    names = "vocabulary" if key == "tokens" else "columns"
    arrays, _ = read_archive(path, (key, names), useful=lambda header: False)
    return examples(f"{path}: array {key!r}", key, arrays[key], arrays.get(names))


def _find_image(
    path: Path, arrays: Mapping[str, np.ndarray], headers: Mapping[str, ArrayHeader], preparation: Preparation
) -> tuple[Rows, dict[str, str]]:
    """Return images, and their preparation."""
    found = [name for name in ("image", *_ENCODED) if name in arrays]
    if not found:
        raise InputError(f"{path}: no array 'image'; {image_advice(headers)}")
    if len(found) > 1:
        raise InputError(f"{path}: arrays {' and '.join(map(repr, found))}; keep one of them")
    if found != ["image"]:
        return _decode(path, found[0], arrays[found[0]], arrays.get("offset"), preparation)
    image = check_image(f"{path}: array 'image'", arrays["image"])
    return resized(image, preparation, str(path)), preparation.named(alpha=False)


def resized(image: np.ndarray, preparation: Preparation, name: str) -> np.ndarray:
    """Resize and crop images `[N, H, W, C]` in memory, if a size is given."""
    return prepare_rows(image, preparation, name)[:] if preparation.changes_size else image


def check_image(what: str, image: np.ndarray) -> np.ndarray:
    """Convert an array of images to the form of a split, or refuse it."""

    def refuse(found: str, remedy: str) -> InputError:
        return InputError(f"{what} {found}; {remedy}")

    if image.ndim not in (2, 3, 4):
        raise refuse(f"has shape {image.shape}", "give [N, H, W], [N, H, W, C] or [N, D]")
    if 0 in image.shape:
        raise refuse(f"is empty: {image.shape}", "give at least 2 examples")
    if fault := misplaced_axes(image.shape):
        raise refuse(f"has shape {image.shape}", fault)
    if image.dtype == np.uint8:
        if image.max() <= 1:
            raise refuse("is uint8 with no value above 1", "white is 255: multiply by 255")
    elif image.dtype.kind != "f":
        raise refuse(f"has dtype {image.dtype}", _number_advice(image))
    elif not np.isfinite(image).all():
        raise refuse("holds NaN or infinity", "clean it first")
    elif not np.isfinite(image := image.astype(np.float32)).all():
        raise refuse("holds floats that float32 cannot", "scale them")
    return image[..., None] if image.ndim == 3 else image


def _number_advice(image: np.ndarray) -> str:
    """Return advice on the conversion of other numbers to uint8 or floats."""
    if image.dtype.kind == "b":
        return "give numpy.uint8(255 * image)"
    if image.dtype == np.uint16:
        return "give numpy.float32(image / 65535), where white is 65535"
    if image.dtype.kind in "iu" and image.min() >= 0 and 1 < image.max() <= 255:
        return "give image.astype(numpy.uint8)"
    return "give uint8, or floats in [0, 1]"


def _decode(
    path: Path, kind: str, content: np.ndarray, offset: np.ndarray | None, preparation: Preparation
) -> tuple[np.ndarray, dict[str, str]]:
    """Decode image files to `[N, H, W, C]`; C is 1 if no pixel is coloured, because WebP has no grey images."""
    if content.dtype != np.uint8 or content.ndim != 1:
        raise InputError(f"{path}: array {kind!r} is {content.dtype} {content.shape}; give the files' uint8 bytes")
    offset = _check_offset(path, kind, offset, len(content))
    survey, pages = Survey(), []
    for i, (first, last) in enumerate(itertools.pairwise(offset)):
        name, file = f"{path}: file {i} of array {kind!r}", content[first:last].tobytes()
        survey.add(read_header(io.BytesIO(file), name), name)
        pages.append(Page(name, partial(io.BytesIO, file)))
    form = survey.form(str(path), preparation)
    rows = image_rows(pages, form)
    check_fits(f"{path}: array {kind!r}, decoded,", num_bytes(rows), "store fewer images")
    image = rows[:]
    # WebP's rounding makes the channels of a grey differ slightly, green's the least.
    colourless = image.dtype == np.uint8 and np.ptp(image, axis=-1).max() <= 1
    return image[..., 1:2] if colourless and form.shape[2] == 3 else image, form.named


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


def _check_integers(path: Path, name: str, array: np.ndarray | None, length: int) -> np.ndarray | None:
    if array is None:
        return None
    if array.dtype.kind not in "iu" or array.shape != (length,):
        found = f"is {array.dtype} {array.shape}; give integers of shape ({length},), one per example"
        advice = "0 train, 1 validation, 2 test" if name == "split" else label_advice(array, length)
        raise InputError(f"{path}: array {name!r} {found}{advice and ': '}{advice}")
    if array.min() < 0 or array.max() >= 2**31:
        found = f"holds numbers from {array.min()} to {array.max()}"
        raise InputError(f"{path}: array {name!r} {found}; number classes from 0, or leave it out")
    return array.astype(np.int32)


def _check_classes(path: Path, classes: np.ndarray | None, label: np.ndarray | None) -> tuple[str, ...]:
    if classes is None or classes.dtype.kind in "biuf":  # an array of numbers is an attribute
        return ()
    if classes.dtype.kind != "U" or classes.ndim != 1:
        raise InputError(f"{path}: array 'classes' is {classes.dtype} {classes.shape}; give [C] names of classes")
    if label is None or label.max() >= len(classes):
        found = "no 'label'" if label is None else f"'label' goes to {label.max()}"
        remedy = "give a number for each image and a name for each number"
        raise InputError(f"{path}: array 'classes' holds {len(classes)} names, but {found}; {remedy}")
    return tuple(map(str, classes))


def _may_be_attribute(header: ArrayHeader) -> bool:
    return header.dtype.kind in "biuf" and len(header.shape) == 1


def _attributes(arrays: Mapping[str, np.ndarray], length: int) -> dict[str, np.ndarray]:
    numbers = {name: array for name, array in arrays.items() if array.dtype.kind in "biuf" and array.shape == (length,)}
    return {
        name: array.astype(np.int32) if array.dtype.kind == "b" else array
        for name, array in numbers.items()
        if name not in _RESERVED or name == "classes"
    }
