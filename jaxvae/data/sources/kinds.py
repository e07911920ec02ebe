"""Kinds of the columns of a table: guessed from the values, or as the user says."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from jaxvae.data.classes import class_order
from jaxvae.data.spaces.table import CATEGORICAL, COUNT, INTEGER, KINDS, ORDINAL, POSITIVE, REAL
from jaxvae.errors import InputError, did_you_mean, first_line

DROP = "drop"
"""Word that leaves a column out."""
OTHER = "other"
"""Name of the category in which rare ones are put together."""
USUAL_COUNT = 10
"""Largest median of whole numbers from 0 on that are taken for counts."""
MOST_DECIMALS = 6
_SYNONYMS = {"continuous": REAL, "binary": CATEGORICAL}


class Asked(NamedTuple):
    """Kind of a column as the user says."""

    kind: str
    most: int | None = None
    """Number of categories that are kept, the most frequent; the others become one."""
    order: tuple[str, ...] = ()
    """Categories in their order."""


def asked_kinds(columns: str, path: Path | None = None) -> dict[str, Asked]:
    """Read what is said of columns, on the command line and in a .json file beside the table.

    Args:
        columns: such as "age=integer,job=categorical:50,grade=ordinal:low/middle/high,name=drop".
        path: path of the table.

    Raises:
        InputError: a kind is unknown, or is written in another form.
    """
    return {**(_beside(path) if path else {}), **dict(map(_parse, filter(None, columns.split(","))))}


def _parse(part: str) -> tuple[str, Asked]:
    name, equals, kind = (one.strip() for one in part.partition("="))
    kind, _, detail = kind.partition(":")
    if not (name and equals):
        raise InputError(f"columns: {part!r} names no kind; write NAME=KIND,NAME=KIND")
    _check_kind(f"columns: kind {kind!r} of {name!r}", kind)
    if not detail:
        return name, Asked(kind)
    if kind == CATEGORICAL and detail.isdecimal() and int(detail):
        return name, Asked(kind, most=int(detail))
    if kind in (CATEGORICAL, ORDINAL) and "/" in detail:
        return name, Asked(kind, order=tuple(detail.split("/")))
    raise InputError(f"columns: {part!r} is not understood; write categorical:NUMBER, or ordinal:LOW/MIDDLE/HIGH")


def _check_kind(what: str, kind: Any) -> None:
    if kind not in (*KINDS, DROP):
        raise InputError(f"{what} is none of {', '.join((*KINDS, DROP))}{did_you_mean(str(kind), KINDS)}")


def _beside(path: Path) -> dict[str, Asked]:
    """Read kinds from a .json of the table's name, where it describes columns."""
    beside = path.with_suffix(".json")
    if not beside.is_file():
        return {}
    try:
        known = json.loads(beside.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise InputError(f"{beside}: cannot be read ({first_line(error)}); mend it, or move it away") from error
    found = known.get("columns", []) if isinstance(known, dict) else []
    described = [one for one in found if isinstance(one, dict) and isinstance(one.get("name"), str) and "kind" in one]
    return {one["name"]: _described(f"{beside}: kind {one['kind']!r} of {one['name']!r}", one) for one in described}


def _described(what: str, one: dict[str, Any]) -> Asked:
    kind = ORDINAL if one.get("ordered") else _SYNONYMS.get(str(one["kind"]), one["kind"])
    _check_kind(what, kind)
    categories = one.get("categories", ())
    return Asked(kind, order=tuple(map(str, categories)) if kind == ORDINAL else ())


def check_names(what: str, asked: dict[str, Asked], names: list[str]) -> None:
    """Refuse kinds of columns that are not there.

    Raises:
        InputError: a name is unknown.
    """
    if unknown := [name for name in asked if name not in names]:
        raise InputError(f"columns: {what} has no column {unknown[0]!r}{did_you_mean(unknown[0], names)}")


def guess(numbers: np.ndarray) -> str:
    """Return the kind of a column of numbers: whole numbers from 0 on that are mostly small are counts."""
    if (numbers % 1).any():
        return REAL
    return COUNT if numbers.min() == 0 and np.median(numbers) <= USUAL_COUNT else INTEGER


def check_numbers(what: str, kind: str, numbers: np.ndarray) -> None:
    """Refuse numbers that are not of the kind that was asked for.

    Raises:
        InputError: some are not whole, or below 0, or not above it.
    """
    whole, lowest = not (numbers % 1).any(), numbers.min()
    if kind in (INTEGER, COUNT) and not whole:
        raise InputError(f"{what} holds {numbers[numbers % 1 != 0][0]:g}, which is no {kind}; call it {REAL}")
    if (kind == COUNT and lowest < 0) or (kind == POSITIVE and lowest <= 0):
        raise InputError(f"{what} holds {lowest:g}, which is no {kind} number; call it {REAL}, or {INTEGER}")


def decimals_of(numbers: np.ndarray) -> int | None:
    """Return the number of decimals with which numbers are written, None for more than six."""
    near = 1e-9 * np.maximum(np.abs(numbers), 1.0)
    tried = range(MOST_DECIMALS + 1)
    return next((few for few in tried if (np.abs(np.round(numbers, few) - numbers) <= near).all()), None)


def coded(what: str, words: list[str | None], asked: Asked) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the numbers of words, 0 for a missing one, and their categories as asked.

    Raises:
        InputError: a word is not among the categories that were named.
    """
    there = [word for word in words if word is not None]
    categories = asked.order or class_order(there)
    if asked.most is not None and len(categories) > asked.most:
        kept = {word for word, _ in Counter(there).most_common(asked.most)}
        words = [word if word is None or word in kept else OTHER for word in words]
        categories = (*(word for word in categories if word in kept and word != OTHER), OTHER)
    code = {word: number for number, word in enumerate(categories)}
    if unknown := [word for word in words if word is not None and word not in code]:
        raise InputError(f"{what} holds {unknown[0]!r}, which is none of {', '.join(categories)}; name it too")
    return np.array([0 if word is None else code[word] for word in words]), categories
