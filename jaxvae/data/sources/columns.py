"""Columns of a table as examples: numbers and categories, labels and splits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxvae.data.classes import class_order
from jaxvae.data.dataset import Split
from jaxvae.data.partition import NUMBERED, TEST, TRAIN, Whole
from jaxvae.data.sources.arrays import digest
from jaxvae.data.sources.kinds import OTHER, Asked, check_numbers, coded, decimals_of, guess
from jaxvae.data.spaces import Real, Table
from jaxvae.data.spaces.table import CATEGORICAL, OBSERVED, ORDINAL, REAL, SCALED, X
from jaxvae.errors import InputError

LABELS = ("label", "class", "target")
"""Names of a column of classes, in any letter case."""
SPLIT = "split"
"""Name of a column of splits."""
_FEW = 10
"""Largest number of different whole numbers that are categories, if each occurs ten times on average."""
_MOST_CATEGORIES = 100


class Column(NamedTuple):
    """Column of a file, with its missing values."""

    name: str
    values: np.ndarray
    """`[N]` floats, or codes of categories; anything where a value is missing."""
    observed: np.ndarray
    """`[N]` True where there is a value."""
    categories: tuple[str, ...] = ()
    """Names of the categories; empty for numbers."""
    kind: str = ""
    """Kind of a column of a table; where it is empty, categorical or real."""
    asked: Asked | None = None
    """Kind that the user asks for; such a column is one of values, whatever its name."""


def number_column(what: str, name: str, values: np.ndarray, observed: np.ndarray) -> Column:
    """Make a column of numbers; few different whole numbers are categories.

    Raises:
        InputError: it holds NaN or infinity.
    """
    there = _finite(what, values[observed])
    different = np.unique(there)
    if values.dtype.kind in "iu" and 2 <= len(different) <= min(_FEW, len(there) // 10):
        return Column(name, np.searchsorted(different, values), observed, tuple(map(str, different.tolist())))
    return Column(name, values.astype(np.float64), observed, kind=guess(there))


def _finite(what: str, there: np.ndarray) -> np.ndarray:
    if not np.isfinite(there).all():
        raise InputError(f"{what} holds NaN or infinity; leave the cell of a missing value empty")
    if np.abs(there).max() > np.finfo(np.float32).max:
        raise InputError(f"{what} holds numbers that float32 cannot; scale them")
    return there


def column_as_asked(what: str, name: str, values: np.ndarray, observed: np.ndarray, asked: Asked) -> Column:
    """Make a column of the kind that the user says.

    Raises:
        InputError: its values are not of this kind.
    """
    if asked.kind in (CATEGORICAL, ORDINAL):
        cells = zip(values.tolist(), observed)
        words = [word_of(value) if there else None for value, there in cells]
        codes, categories = coded(what, words, asked)
        return Column(name, codes, observed, categories, asked.kind, asked)
    if values.dtype.kind == "U":
        raise InputError(f"{what} holds words, such as {values[observed][0]!r}, which are no {asked.kind} numbers")
    check_numbers(what, asked.kind, _finite(what, values[observed].astype(np.float64)))
    return Column(name, values.astype(np.float64), observed, (), asked.kind, asked)


def word_of(value: Any) -> str:
    """Return the name of a category; whole numbers in a column with gaps are floats."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def word_column(what: str, name: str, words: np.ndarray, observed: np.ndarray) -> Column:
    """Make a column of categories from words.

    Raises:
        InputError: numbers are among the words, or there are too many different ones.
    """
    there = words[observed].tolist()
    numbers = [is_number(word) for word in there]
    if any(numbers) and not all(numbers):
        found = f"both numbers and words, such as {there[numbers.index(True)]!r} and {there[numbers.index(False)]!r}"
        raise InputError(f"{what} holds {found}; leave missing cells empty, and write one kind")
    if any("\n" in word for word in there):
        raise InputError(f"{what} holds a line break; close the quotes, or write the word in one line")
    categories = class_order(there)
    if len(categories) > min(_MOST_CATEGORIES, max(2, len(there) // 2)):
        remedy = f"--columns {name}=categorical:50 keeps the 50 most frequent, {name}=drop leaves the column out"
        raise InputError(f"{what} holds {len(categories)} different words, too many for categories; {remedy}")
    code = {word: number for number, word in enumerate(categories)}
    return Column(name, np.array([code.get(word, 0) for word in words]), observed, categories)


class Roles(NamedTuple):
    """Columns of a file by their roles."""

    label: np.ndarray | None
    """`[N]` class numbers."""
    classes: tuple[str, ...]
    parts: np.ndarray | None
    """`[N]` part numbers; None without a column of splits."""
    values: list[Column]
    """All other columns."""


def roles(what: str, columns: list[Column]) -> Roles:
    """Find the column of labels and that of splits by their names.

    Raises:
        InputError: labels or splits cannot be used.
    """
    label, split = _one_of(what, columns, LABELS), _one_of(what, columns, (SPLIT,))
    values = [column for column in columns if column is not label and column is not split]
    parts = None if split is None else _parts(what, split)
    if label is None:
        return Roles(None, (), parts, values)
    return Roles(_complete(what, label).values.astype(np.int32), label.categories, parts, values)


def whole_set(what: str, columns: list[Column]) -> Whole:
    """Make a data set from columns: real numbers if all are numbers without holes, else a table.

    Raises:
        InputError: there is no column of values, or labels or splits cannot be used.
    """
    label, classes, parts, values = roles(what, columns)
    if not values:
        raise InputError(f"{what}: holds no columns of values; name some in the first line")
    rows, space, facts = table_examples(values)
    return Whole(Split(rows, label), parts, space, classes, facts)


def _one_of(what: str, columns: list[Column], names: tuple[str, ...]) -> Column | None:
    found = [column for column in columns if column.name.lower() in names and column.asked is None]
    if len(found) > 1:
        raise InputError(f"{what}: columns {found[0].name!r} and {found[1].name!r} both hold labels; rename one")
    if found and not found[0].categories:
        what = f"{what}: column {found[0].name!r}"
        raise InputError(f"{what} holds numbers and no classes; rename it to have it learned as a value")
    return found[0] if found else None


def _complete(what: str, column: Column) -> Column:
    if not column.observed.all():
        missing = int((~column.observed).sum())
        raise InputError(f"{what}: column {column.name!r} misses {missing} values; fill them, or rename the column")
    return column


def _parts(what: str, column: Column) -> np.ndarray:
    """Return part numbers from a column of names or of 0, 1 and 2."""
    names = _complete(what, column).categories
    known = [NUMBERED.get(name.lower(), -1) for name in names]
    if -1 in known or not {TRAIN, TEST} <= set(known):
        remedy = "use train, validation (optional) and test, or 0, 1 and 2"
        raise InputError(f"{what}: column {column.name!r} holds {', '.join(names)}; {remedy}")
    return np.array(known)[column.values]


def table_examples(columns: Sequence[Column]) -> tuple[Any, Real | Table, dict[str, Any]]:
    """Return examples, their space and its facts: vectors if all columns are numbers without holes, else a table."""
    values, observed = (np.stack(arrays, axis=1) for arrays in zip(*((c.values, c.observed) for c in columns)))
    values = np.where(observed, values, 0).astype(np.float32)
    kinds = tuple(column.kind or (CATEGORICAL if column.categories else REAL) for column in columns)
    names: dict[str, Any] = {"columns": [column.name for column in columns]}
    are_vectors = observed.all() and {*kinds} <= {*SCALED}
    if not are_vectors:
        names["categories"] = {column.name: list(column.categories) for column in columns if column.categories}
    facts = {**names, **_written(columns)}
    if are_vectors:
        return values, Real((len(columns),)), facts
    space = Table(tuple(len(column.categories) for column in columns), digest(names), kinds)
    return {X: values, OBSERVED: observed}, space, facts


def _written(columns: Sequence[Column]) -> dict[str, Any]:
    """Return the decimals and the range of columns of numbers, and the columns in which categories are put together."""
    numbers = {column.name: column.values[column.observed] for column in columns if not column.categories}
    decimals = {name: decimals_of(values) for name, values in numbers.items()}
    rest = [column.name for column in columns if column.asked and column.asked.most and OTHER in column.categories]
    return {
        "decimals": {name: few for name, few in decimals.items() if few is not None},
        "bounds": {name: [float(values.min()), float(values.max())] for name, values in numbers.items()},
        **({"rest": rest} if rest else {}),
    }


def is_number(word: str) -> bool:
    """Return True for a word that Python reads as a number."""
    try:
        float(word)
    except ValueError:
        return False
    return True
