"""Rows of arrays on disk, for files that need not fit into memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from jaxvae.data.dataset import Dataset, Split
from jaxvae.data.memory import check_fits
from jaxvae.data.partition import Whole, divided
from jaxvae.data.preparation import Preparation, refuse_sizes
from jaxvae.data.rows import LazyRows, Rows
from jaxvae.data.sources.archive import READ_ERRORS, ArrayHeader
from jaxvae.data.sources.arrays import examples
from jaxvae.data.sources.keyed import EXAMPLES, names_key, whole_set
from jaxvae.data.sources.pictures import check_image, resized
from jaxvae.errors import InputError, first_line

_DENSE = 4
"""Largest ratio of a range to the number of rows wanted in it, for the range to be read as one."""


def disk_rows(what: str, array: Any, pick: Callable[[np.ndarray], np.ndarray]) -> LazyRows:
    """Return the rows of an array on disk, which are read when they are indexed.

    Args:
        what: name of the array in messages.
        array: array that is read by slices.
        pick: function that reads rows by their ids, which rise.
    """

    def read(ids: np.ndarray) -> np.ndarray:
        first, last = int(ids.min()), int(ids.max()) + 1
        try:
            if last - first <= _DENSE * len(ids):
                return np.asarray(array[first:last])[ids - first]
            different, places = np.unique(ids, return_inverse=True)
            return np.asarray(pick(different))[places]
        except READ_ERRORS as error:
            raise InputError(f"{what} cannot be read ({first_line(error)}); write it again") from error

    return LazyRows(read, tuple(array.shape), np.dtype(array.dtype))


def open_keyed(
    what: str, name: str, items: Mapping[str, Any], rows: Callable[[str], Rows], preparation: Preparation
) -> Dataset:
    """Open arrays that have the keys of an `.npz` file; those of one axis are read, the others stay on disk.

    Args:
        what: name of the file in messages.
        name: name of the set.
        items: arrays on disk.
        rows: function that returns the rows of the array of this name.
        preparation: size of the images.
    """
    headers = {key: ArrayHeader(tuple(item.shape), np.dtype(item.dtype)) for key, item in items.items()}
    arrays: dict[str, Any] = {}
    for key, header in headers.items():
        if len(header.shape) > 1:
            arrays[key] = rows(key)
        elif header.shape:
            found = f"array {key!r}, {header.dtype} {header.shape},"
            check_fits(f"{what}: {found}", header.num_bytes, "store fewer examples")
            arrays[key] = words(rows(key)[:])
    return divided(what, name, whole_set(what, arrays, headers, preparation))


def read_keyed(what: str, items: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Read the arrays of examples with the names of their columns or words; all arrays where none has such a key.

    Raises:
        InputError: they take more memory than there is, or cannot be read.
    """
    needed = [key for key in items if key in (*EXAMPLES, *map(names_key, EXAMPLES))] or list(items)
    headers = [ArrayHeader(tuple(items[key].shape), np.dtype(items[key].dtype)) for key in needed]
    check_fits(what, sum(header.num_bytes for header in headers), "give its rows in parts")
    try:
        return {key: words(np.asarray(items[key][...])) for key in needed}
    except READ_ERRORS as error:
        raise InputError(f"{what}: cannot be read ({first_line(error)}); write it again") from error


def open_single(what: str, name: str, npz: str, rows: Rows, preparation: Preparation) -> Dataset:
    """Open one array without a key: `[N, H, W, C]` images, uint8 `[N, H, W]` images, or floats of other shapes.

    Args:
        what: name of the file in messages.
        name: name of the set.
        npz: name of the file that would have keys, in messages.
        rows: the array.
        preparation: size of the images.

    Raises:
        InputError: the array may be of several kinds, or cannot be used.
    """
    if len(rows.shape) == 4 or (len(rows.shape) == 3 and rows.dtype == np.uint8):
        image = resized(check_image(what, rows), preparation, what)
        return divided(what, name, Whole(Split(image), preparation=preparation.named(alpha=False)))
    refuse_sizes(preparation, what)
    if rows.dtype.kind in "iu":
        remedy = f"numpy.savez({npz!r}, counts=x), with 'tokens' or 'x' for 'counts'"
        raise InputError(f"{what}: holds integers, which may be counts, tokens or numbers; {remedy}")
    found = examples(what, "x", rows)
    return divided(what, name, Whole(Split(found.rows), space=found.space))


def words(array: np.ndarray) -> np.ndarray:
    """Convert an array of strings or bytes, as files hold names, to NumPy's own strings."""
    if array.dtype.kind not in "OST":
        return array
    return np.array([word.decode() if isinstance(word, bytes) else str(word) for word in array])
