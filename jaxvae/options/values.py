"""Values of options as a file or Python code gives them, brought to the type of the option."""

from __future__ import annotations

import os
import typing
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Literal

from jaxvae.errors import InputError, did_you_mean
from jaxvae.options.schedules import Number, Schedule
from jaxvae.options.usage import NOUNS, alternatives


def typed(name: str, kind: Any, value: Any) -> Any:
    """Return a value as an option of this type has it: a tuple for a list, a schedule for its word.

    >>> typed("hidden", tuple[int, ...], [50, 20]), typed("beta", Number, 4)
    ((50, 20), 4.0)

    Args:
        name: name of the option.
        kind: type of the option.
        value: plain value; "None" is None, and one value is a tuple of one, as on the command line.

    Raises:
        InputError: the value is of another type.
    """
    kind, *none = alternatives(kind)
    if none and (value is None or value == "None"):
        return None
    if typing.get_origin(kind) is not tuple:
        return _one(name, kind, value)
    several = value if isinstance(value, list | tuple) else [value]
    return tuple(_one(name, typing.get_args(kind)[0], one) for one in several)


def _one(name: str, kind: Any, value: Any) -> Any:
    name = name.replace("_", "-")
    if typing.get_origin(kind) is Literal:
        choices = typing.get_args(kind)
        if value in choices:
            return value
        hint = did_you_mean(str(value), choices)
        raise InputError(f"{name}: must be one of {', '.join(choices)}, got {value!r}{hint}")
    if kind == Number and isinstance(value, str | Schedule):
        return value if isinstance(value, Schedule) else _schedule(name, value)
    if kind not in _MADE:
        return value
    wanted, make = _MADE[kind]
    if not isinstance(value, wanted) or (isinstance(value, bool) and kind is not bool):
        raise InputError(f"{name}: must be {NOUNS[kind]}, got {value!r}")
    return make(value)


def _schedule(name: str, word: str) -> Schedule:
    try:
        return Schedule.parse(word)
    except InputError:
        raise InputError(f"{name}: must be {NOUNS[Number]}, got {word!r}") from None


_MADE: dict[Any, tuple[Any, Any]] = {
    bool: (bool, bool),
    int: (Integral, int),
    float: (Real, float),
    Number: (Real, float),
    str: (str, str),
    Path: ((str, os.PathLike), Path),
}
"""Types of options: what is taken for a value of each, and the function that makes one of it."""
