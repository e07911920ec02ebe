"""Objects in memory, brought to the form in which a file of them is read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from jaxvae.data.rows import LazyRows, Subset
from jaxvae.data.sources.cells import dense, is_anndata, is_sparse, read_anndata
from jaxvae.errors import InputError, first_line
from jaxvae.packages import needed_by

Arrays: TypeAlias = dict[str, np.ndarray]
"""Arrays by their keys, as in an `.npz` file."""
Stored: TypeAlias = Any
"""Array, `Arrays`, list of sentences, `Cells`, or table of pyarrow."""
_LEAST_SIDE = 4
"""Least height and width of images in an array of floats."""


def read_object(what: str, thing: Any) -> Stored:
    """Read an object in memory.

    Args:
        what: name of the object in messages.
        thing: array, dict of arrays, table, AnnData, sparse matrix of counts, or list of sentences.

    Raises:
        InputError: it is none of these, or cannot be converted.
    """
    if isinstance(thing, str | Path):
        raise InputError(f"{what} is {str(thing)!r}; give the examples themselves, sentences as a list")
    if isinstance(thing, Mapping):
        given = {str(key): array for key, array in thing.items() if array is not None}
        return {key: as_array(f"{what}: array {key!r}", array) for key, array in given.items()}
    if is_anndata(thing):
        return read_anndata(what, thing)
    if is_sparse(thing):
        return {"counts": dense(what, thing)}
    if is_table(thing):
        return as_table(what, thing)
    return _strings(thing) or as_array(what, thing)


def _strings(thing: Any) -> list[str]:
    """Return the strings of a list or column, which may differ much in length; nothing for anything else."""
    to_list = getattr(thing, "to_list", None) or getattr(thing, "tolist", None)
    if isinstance(thing, list | tuple):
        items = list(thing)
    elif to_list is not None and len(thing.shape) == 1:
        items = to_list()
    else:
        return []
    return items if all(isinstance(item, str) for item in items) else []


def is_table(thing: Any) -> bool:
    """Return True for a table of pandas, polars or pyarrow, recognised by its parts."""
    named = hasattr(thing, "columns") or hasattr(thing, "column_names")
    return named and (hasattr(thing, "iloc") or hasattr(thing, "__arrow_c_stream__"))


def as_table(what: str, thing: Any) -> Any:
    """Convert a table to pyarrow's; in pandas NaN is a missing value.

    Raises:
        InputError: pyarrow is not installed, or a column cannot be converted.
    """
    pyarrow = needed_by(what, "pyarrow")
    try:
        if hasattr(thing, "iloc"):
            return pyarrow.Table.from_pandas(thing, preserve_index=False)
        # Of polars, whose stream holds strings that pyarrow does not convert.
        return thing.to_arrow() if hasattr(thing, "to_arrow") else pyarrow.table(thing)
    except (pyarrow.ArrowException, TypeError, ValueError) as error:
        reason = "; ".join(map(str, error.args)).partition("\n")[0]
        raise InputError(f"{what}: cannot be read ({reason}); give columns of numbers or words") from error


def as_array(what: str, thing: Any) -> np.ndarray:
    """Convert anything like an array; a list or column of words becomes an array of strings.

    Raises:
        InputError: examples differ in shape, values are masked, or are Python objects.
    """
    if is_sparse(thing):
        return dense(what, thing)
    if np.ma.is_masked(thing):
        raise InputError(f"{what} has masked values; give a DataFrame, in which values may be missing")
    try:
        array = np.asarray(thing[:] if isinstance(thing, LazyRows | Subset) else thing)
    except (ValueError, TypeError, RuntimeError) as error:
        raise InputError(f"{what} is no array ({first_line(error)}); give examples of one shape") from error
    if array.dtype.kind != "O":
        return array.astype(str) if array.dtype.kind == "T" else array
    if array.ndim == 1 and all(isinstance(word, str) for word in array):
        return array.astype(str)
    raise InputError(f"{what} is {_described(thing, array)}; give numbers, or strings")


def _described(thing: Any, array: np.ndarray) -> str:
    return f"an object of type {type(thing).__name__}" if array.ndim == 0 else f"an array {array.shape} of objects"


def key_of(what: str, array: np.ndarray) -> str:
    """Return the key under which an array would be saved: image, or x for numbers.

    Raises:
        InputError: it holds no examples, or integers, whose meaning is open.
    """
    if array.ndim < 2:
        raise InputError(f"{what} has shape {array.shape}; give [N, D], [N, T], [N, T, C], [N, H, W] or [N, H, W, C]")
    if array.ndim == 4 or (array.ndim == 3 and (array.dtype == np.uint8 or _are_shades(array))):
        return "image"
    if array.dtype.kind in "iu":
        remedy = 'say which: {"counts": x}, with "tokens", "x" or "image" for "counts"'
        raise InputError(f"{what} holds integers, which may be counts, tokens or numbers; {remedy}")
    return "x"


def _are_shades(array: np.ndarray) -> bool:
    """Tell images `[N, H, W]` of floats in [0, 1] from signals."""
    large = min(array.shape[1:]) >= _LEAST_SIDE and array.size > 0
    return large and array.dtype.kind == "f" and bool(((array >= 0) & (array <= 1)).all())
