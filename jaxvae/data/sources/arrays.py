"""Arrays that are not images, as examples: vectors, signals, counts and tokens."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from jaxvae.data.rows import Rows, blocks, mapped
from jaxvae.data.spaces import Counts, Real, Tokens
from jaxvae.errors import InputError
from jaxvae.types import Space

KEYS = ("x", "data", "counts", "tokens")
"""Names of the arrays in an `.npz` file that are examples and not images."""
_EXACT = 2**24
"""Largest integer up to which float32 holds every integer."""
_MOST_CHANNELS = 4


class Found(NamedTuple):
    """Examples of a file, their space, and the facts that belong to it."""

    rows: Any
    space: Space | None
    """Meaning of the values; None for images, which are judged by their values."""
    facts: Mapping[str, Any]


def examples(what: str, key: str, array: Rows, names: np.ndarray | None = None) -> Found:
    """Convert an array to examples by its key; one on disk is read through once and stays there.

    Args:
        what: name of the array in messages.
        key: one of `KEYS`.
        array: `[N, D]`, `[N, T]` or `[N, T, C]` numbers; `[N, D]` counts; `[N, T]` tokens.
        names: `[D]` names of the columns, or `[V]` words of the vocabulary.

    Raises:
        InputError: the array is not of this kind.
    """
    if array.dtype.kind not in "iuf":
        raise InputError(f"{what} has dtype {array.dtype}; give integers or floats")
    if 0 in array.shape:
        raise InputError(f"{what} is empty: {array.shape}; give at least 2 examples")
    if key == "tokens":
        return _tokens(what, array, names)
    if key == "counts":
        return Found(_counts(what, array), Counts(array.shape[1:]), _columns(what, names, array.shape[1:]))
    return Found(_real(what, array), Real(array.shape[1:]), _columns(what, names, array.shape[1:]))


def digest(facts: Mapping[str, Any]) -> str:
    """Return a short digest of names."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


def converted(array: Rows, dtype: type) -> Rows:
    """Convert rows to another type, those on disk whenever they are read; too large a float becomes infinite."""

    def convert(block: np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore"):
            return block.astype(dtype)

    return mapped(array, convert, array.shape, dtype)


def _real(what: str, array: Rows) -> Rows:
    num_axes = len(array.shape)
    if num_axes not in (2, 3):
        remedy = "save images as 'image'" if num_axes == 4 else "give [N, D], [N, T] or [N, T, C]"
        raise InputError(f"{what} has shape {array.shape}; {remedy}")
    if num_axes == 3:
        _check_signals(what, array)
    check_exact(what, array)
    values = converted(array, np.float32)
    Real(array.shape[1:]).check(array, what)
    if array.dtype.itemsize > 4 and not all(np.isfinite(block).all() for block in blocks(values)):
        raise InputError(f"{what} holds floats that float32 cannot; scale them")
    return values


def check_exact(what: str, array: Rows) -> None:
    """Refuse integers that float32 would round.

    Raises:
        InputError: there is one.
    """
    if array.dtype.kind in "iu" and any(max(-int(b.min()), int(b.max())) > _EXACT for b in blocks(array) if b.size):
        raise InputError(f"{what} holds integers that float32 cannot; scale them, or save counts as 'counts'")


def _check_signals(what: str, array: Rows) -> None:
    """Refuse `[N, T, C]` that may be images, or channels before time."""
    _, length, channels = array.shape
    if array.dtype == np.uint8 or length == channels > _MOST_CHANNELS:
        remedy = "save images as 'image'; if these are signals, save float32 [N, T * C]"
        raise InputError(f"{what} may hold images, {array.dtype} {array.shape}; {remedy}")
    if channels >= 4 * length:
        remedy = "transpose (0, 2, 1) if it is [N, C, T], or reshape it to [N, T * C]"
        raise InputError(f"{what} has shape {array.shape}: channels come last; {remedy}")


def _counts(what: str, array: Rows) -> Rows:
    if len(array.shape) != 2:
        raise InputError(f"{what} has shape {array.shape}; give [N, D]")
    Counts(array.shape[1:]).check(array, what)
    return converted(array, np.int32)


def _tokens(what: str, array: Rows, words: np.ndarray | None) -> Found:
    if len(array.shape) != 2 or array.dtype.kind == "f":
        raise InputError(f"{what} is {array.dtype} {array.shape}; give integers [N, T]")
    facts = {} if words is None else {"words": _strings(f"{what}: its vocabulary", words)}
    size = max(int(block.max()) for block in blocks(array)) + 1 if words is None else len(words)
    space = Tokens(size, array.shape[1], digest=digest(facts) if facts else "")
    space.check(array, what)
    return Found(converted(array, np.int32), space, facts)


def _columns(what: str, names: np.ndarray | None, shape: tuple[int, ...]) -> dict[str, Any]:
    if names is None:
        return {}
    if names.shape != shape:
        raise InputError(f"{what} has rows of shape {shape}, 'columns' holds {len(names)} names; give one for each")
    return {"columns": _strings(f"{what}: its columns", names)}


def _strings(what: str, names: np.ndarray) -> list[str]:
    if names.dtype.kind != "U" or names.ndim != 1:
        raise InputError(f"{what} is {names.dtype} {names.shape}; give a list of strings")
    return [str(name) for name in names]
