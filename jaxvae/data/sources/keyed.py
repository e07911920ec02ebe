"""Arrays by their keys: images, numbers, counts or tokens, with labels and further attributes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from jaxvae.data.dataset import Split
from jaxvae.data.partition import TEST, TRAIN, VALIDATION, Whole
from jaxvae.data.preparation import Preparation, refuse_sizes
from jaxvae.data.rows import Rows
from jaxvae.data.sources.archive import ArrayHeader
from jaxvae.data.sources.arrays import KEYS, Found, examples
from jaxvae.data.sources.misnamed import image_advice, label_advice, misnamed_label
from jaxvae.data.sources.pictures import ENCODED, check_image, decode, resized
from jaxvae.errors import InputError

RESERVED = ("image", *ENCODED, "offset", "label", "split", "classes")
"""Names of arrays that are no attributes."""
EXAMPLES = ("image", *KEYS)
"""Names of arrays `[N, ...]` of examples."""


def whole_set(
    what: str, arrays: Mapping[str, np.ndarray], headers: Mapping[str, ArrayHeader], preparation: Preparation
) -> Whole:
    """Make a data set of arrays.

    There is `image` (`[N, H, W]`, `[N, H, W, C]` or `[N, D]`; uint8, or floats), or image files: `png`,
    `jpeg` or `webp`, the uint8 bytes of all files one after another, and `offset` (`[N + 1]` integers), where file i
    is `webp[offset[i]:offset[i + 1]]`; or, without images, one of `x` and `data` (`[N, D]`, `[N, T]` or `[N, T, C]`
    numbers) and `counts` (`[N, D]`), perhaps with `columns` (`[D]` names), and `tokens` (`[N, T]`), perhaps with
    `vocabulary` (`[V]` words). There may be `label` (`[N]` integers) with `classes` (`[C]` their names), and
    `split` (`[N]`: 0 train, 1 validation, 2 test). Any other array of `[N]` numbers is an attribute of that name.

    Args:
        what: name of the set in messages.
        arrays: arrays of the set by name.
        headers: shapes and dtypes of these, and of further arrays that are not read.
        preparation: size of the images.

    Raises:
        InputError: an array is missing, or cannot be used.
    """
    if (key := examples_key(what, headers)) is None:
        rows, named = _find_image(what, arrays, headers, preparation)
        found = Found(rows, None, {})
    else:
        refuse_sizes(preparation, what)
        found = examples(f"{what}: array {key!r}", key, arrays[key], arrays.get(names_key(key)))
        named = {}
    num = len(found.rows)
    if (name := misnamed_label(headers, num)) is not None:
        remedy = "save it under this name if it holds classes, or under another if it is an attribute"
        raise InputError(f"{what}: array {name!r}; did you mean 'label'? {remedy}")
    label, parts = arrays.get("label"), arrays.get("split")
    if label is not None:
        label = check_integers(f"{what}: array 'label'", label, num, label_advice(label, num), least=-1)
    if parts is not None:
        parts = check_integers(f"{what}: array 'split'", parts, num, "0 train, 1 validation, 2 test")
    if parts is not None and not {TRAIN, TEST} <= set(parts) <= {TRAIN, VALIDATION, TEST}:
        numbers = np.unique(parts).tolist()
        raise InputError(f"{what}: array 'split' holds {numbers}; use 0 train, 1 validation (optional), 2 test")
    split = Split(found.rows, label, _attributes(arrays, num))
    return Whole(split, parts, found.space, _check_classes(what, arrays.get("classes"), label), found.facts, named)


def examples_key(what: str, headers: Mapping[str, ArrayHeader]) -> str | None:
    """Return the name of the array of examples where there are no images; `[N]` numbers are an attribute.

    Raises:
        InputError: there are several.
    """
    if any(name in headers for name in ("image", *ENCODED)):
        return None
    found = [key for key in KEYS if key in headers and len(headers[key].shape) != 1]
    if len(found) > 1:
        raise InputError(f"{what}: arrays {' and '.join(map(repr, found))}; keep one of them")
    return found[0] if found else None


def names_key(key: str) -> str:
    """Return the name of the array that names what the examples hold."""
    return "vocabulary" if key == "tokens" else "columns"


def _find_image(
    what: str, arrays: Mapping[str, np.ndarray], headers: Mapping[str, ArrayHeader], preparation: Preparation
) -> tuple[Rows, dict[str, str]]:
    """Return images, and their preparation."""
    found = [name for name in ("image", *ENCODED) if name in arrays]
    if not found:
        raise InputError(f"{what}: no array 'image'; {image_advice(headers)}")
    if len(found) > 1:
        raise InputError(f"{what}: arrays {' and '.join(map(repr, found))}; keep one of them")
    if found != ["image"]:
        return decode(what, found[0], arrays[found[0]], arrays.get("offset"), preparation)
    image = check_image(f"{what}: array 'image'", arrays["image"])
    return resized(image, preparation, what), preparation.named(alpha=False)


def check_integers(what: str, array: np.ndarray, length: int, advice: str, *, least: int = 0) -> np.ndarray:
    """Return `[N]` class or part numbers in int32, from `least` on, or refuse them.

    Raises:
        InputError: they are no such integers, or there is not one for each example.
    """
    if array.dtype.kind not in "iu" or array.shape != (length,):
        found = f"is {array.dtype} {array.shape}; give integers of shape ({length},), one per example"
        raise InputError(f"{what} {found}{advice and ': '}{advice}")
    if array.min() < least or array.max() >= 2**31:
        found = f"{what} holds numbers from {array.min()} to {array.max()}"
        raise InputError(f"{found}; number classes from 0, with -1 where one is unknown, or leave it out")
    return array.astype(np.int32)


def _check_classes(what: str, classes: np.ndarray | None, label: np.ndarray | None) -> tuple[str, ...]:
    if classes is None or classes.dtype.kind in "biuf":  # an array of numbers is an attribute
        return ()
    if classes.dtype.kind != "U" or classes.ndim != 1:
        raise InputError(f"{what}: array 'classes' is {classes.dtype} {classes.shape}; give [C] names of classes")
    if label is None or label.max() >= len(classes):
        found = "no 'label'" if label is None else f"'label' goes to {label.max()}"
        remedy = "give a number for each image and a name for each number"
        raise InputError(f"{what}: array 'classes' holds {len(classes)} names, but {found}; {remedy}")
    return tuple(map(str, classes))


def _attributes(arrays: Mapping[str, np.ndarray], length: int) -> dict[str, np.ndarray]:
    numbers = {name: array for name, array in arrays.items() if array.dtype.kind in "biuf" and array.shape == (length,)}
    return {
        name: array.astype(np.int32) if array.dtype.kind == "b" else array
        for name, array in numbers.items()
        if name not in RESERVED or name == "classes"
    }
