"""New examples, read as a run reads its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from jaxvae.data.dataset import Split
from jaxvae.data.new.columns import count_rows, number_rows, table_rows
from jaxvae.data.new.paths import read_path
from jaxvae.data.new.values import of_shape, pixel_rows, preparation_of, real_rows
from jaxvae.data.rows import gather
from jaxvae.data.scaling import Scaling, scaled_examples
from jaxvae.data.sources.cells import Cells, is_anndata, read_anndata
from jaxvae.data.sources.objects import Stored, is_table, read_object
from jaxvae.data.sources.sentences import check_marks, lost_words, token_rows
from jaxvae.data.spaces import Counts, Incomplete, Pixels, Table, Tokens
from jaxvae.data.spaces.table import OBSERVED, X
from jaxvae.data.units import WORDS, division
from jaxvae.errors import InputError
from jaxvae.types import Space

WHAT = "x"
"""Name of the argument in messages."""


def new_rows(x: Any, facts: Mapping[str, Any], space: Space) -> Any:
    """Read new examples as a run reads its own, so that `space.read(None, rows)` is what its networks get.

    Values are those of the training data before any scaling: the run's scaling, vocabulary and categories are applied.
    Columns and genes are found by their names, and others beside them are passed over; a word that is not in the
    vocabulary is an unknown one. Images of another size are prepared as the run's were.

    Args:
        x: `[N, ...]` new examples in any form that `open_data` takes, without labels and splits; or the path of a file,
            or of a folder of images.
        facts: facts of the run's data, as its manifest holds them.
        space: meaning of the run's examples.

    Returns:
        Rows `[N, ...]` as a `Split` holds them, a dict of arrays for a table.

    Raises:
        InputError: the examples are of another kind or size than the run's, or cannot be used.
    """
    stored = _read(x, facts)
    if isinstance(space, Tokens):
        return _tokens(stored, facts, space)
    if isinstance(space, Counts):
        return _counts(stored, facts, space)
    scaling = Scaling.from_json(facts["scaling"]) if facts.get("scaling") else None
    rows: Any
    if isinstance(space, Table):
        rows = _table(stored, facts, space)
    elif isinstance(space, Incomplete):
        rows = _incomplete(stored, space)
    elif scaling is None and isinstance(space, Pixels):
        rows = pixel_rows(WHAT, _array(stored, "images", "image", "x", "data"), facts, space)
    else:
        rows = real_rows(WHAT, _numbers(stored, facts), facts, space, scaling)
    return rows if scaling is None else _scaled(rows, scaling, space)


def new_lost_words(x: Any, facts: Mapping[str, Any]) -> int | None:
    """Return the number of words of new text that a run's vocabulary lacks; None of what is no text."""
    stored, names = _read(x, facts), facts.get("names", {})
    if not isinstance(stored, list) or WORDS not in names:
        return None
    return lost_words(map(division(names).split, stored), names[WORDS])


def _read(x: Any, facts: Mapping[str, Any]) -> Stored:
    if isinstance(x, str | Path):
        return read_path(x, preparation_of(facts))
    if is_anndata(x):
        return read_anndata(WHAT, x, described=False)
    return read_object(WHAT, gather(x.x, slice(None)) if isinstance(x, Split) else x)


def _tokens(stored: Stored, facts: Mapping[str, Any], space: Tokens) -> np.ndarray:
    words = facts.get("names", {}).get(WORDS)
    if not isinstance(stored, list):
        return _integers(_array(stored, "sentences", "tokens"), space)
    if words is None:
        raise InputError(f"{WHAT} holds sentences, but the run has no vocabulary; give tokens {_of(space)}")
    divide = division(facts["names"])
    sentences = [*map(divide.split, stored)]
    for number, sentence in enumerate(sentences):
        check_marks(f"{WHAT}: sentence {number}", sentence)
        if len(sentence) >= space.length:
            found = f"{WHAT}: sentence {number} has {len(sentence)} {divide.noun}"
            raise InputError(f"{found}, the run's have {space.length - 1} at most; make it shorter")
    return token_rows(sentences, words, space)


def _counts(stored: Stored, facts: Mapping[str, Any], space: Counts) -> np.ndarray:
    columns = facts.get("names", {}).get("columns")
    if isinstance(stored, Cells):
        return _integers(count_rows(WHAT, stored, columns), space)
    if is_table(stored):
        return _integers(number_rows(WHAT, stored, columns), space)
    return _integers(_array(stored, "counts", "counts"), space)


def _integers(array: np.ndarray, space: Counts | Tokens) -> np.ndarray:
    """Return counts or tokens in int32, checked by their space."""
    if array.dtype.kind not in ("iuf" if isinstance(space, Counts) else "iu"):
        raise InputError(f"{WHAT} has dtype {array.dtype}; give {space.kind} as integers {_of(space)}")
    rows = of_shape(WHAT, array, space.shape)
    space.check(rows, WHAT)
    return rows.astype(np.int32)


def _table(stored: Stored, facts: Mapping[str, Any], space: Table) -> dict[str, np.ndarray]:
    """Return rows of a table; those of a split have their numbers already."""
    if isinstance(stored, dict) and stored.keys() == {X, OBSERVED}:
        rows = {name: of_shape(f"{WHAT}: {name}", array, space.shape) for name, array in stored.items()}
        space.check(rows, WHAT)
        return rows
    if not is_table(stored):
        raise _other_kind(stored, "rows of a table", "a DataFrame, or the path of a table")
    return table_rows(WHAT, stored, facts["names"])


def _incomplete(stored: Stored, space: Incomplete) -> dict[str, np.ndarray]:
    """Return values with their mask; in an array NaN is a missing value."""
    if not (isinstance(stored, dict) and stored.keys() == {X, OBSERVED}):
        values = of_shape(WHAT, _array(stored, "numbers", "x", "data"), space.shape)
        stored = {X: np.nan_to_num(values, nan=0.0), OBSERVED: ~np.isnan(values)}
    rows = {name: of_shape(f"{WHAT}: {name}", array, space.shape) for name, array in stored.items()}
    space.check(rows, WHAT)
    return rows


def _numbers(stored: Stored, facts: Mapping[str, Any]) -> np.ndarray:
    """Return the array of real numbers; bytes under `x` are numbers, and under `image` pixels."""
    if is_table(stored):
        return number_rows(WHAT, stored, facts.get("names", {}).get("columns"))
    array = _array(stored, "numbers", "image", "x", "data")
    if array.dtype == np.uint8 and array.ndim == 2 and isinstance(stored, np.ndarray):
        raise InputError(f'{WHAT} is uint8, which may be pixels or numbers; say which: {{"image": x}} or {{"x": x}}')
    are_numbers = isinstance(stored, dict) and "image" not in stored
    return array.astype(np.float32) if array.dtype == np.uint8 and are_numbers else array


def _scaled(rows: Any, scaling: Scaling, space: Space) -> Any:
    rows = scaled_examples(rows, scaling)
    if isinstance(space, Pixels) and not ((rows >= 0) & (rows <= 1)).all():
        raise InputError(f"{WHAT} holds values outside the range to which the run's are scaled; clip them")
    return rows


def _array(stored: Stored, noun: str, *keys: str) -> np.ndarray:
    """Return an array, in a dict the one under the first of these keys."""
    if isinstance(stored, np.ndarray):
        return stored
    if not isinstance(stored, dict):
        raise _other_kind(stored, noun, "an array")
    if (key := next((key for key in keys if key in stored), None)) is None:
        raise InputError(f"{WHAT} holds {', '.join(stored) or 'nothing'}; name the {noun} {keys[0]!r}")
    return stored[key]


def _other_kind(stored: Stored, noun: str, remedy: str) -> InputError:
    found = {list: "sentences", Cells: "cells", np.ndarray: "an array", dict: "arrays"}.get(type(stored), "a table")
    return InputError(f"{WHAT} holds {found}, the run learned {noun}; give {remedy}")


def _of(space: Space) -> str:
    return f"[N, {space.shape[0]}]"
