"""Errors of a command line in one line, instead of tyro's boxes of many."""

from __future__ import annotations

import dataclasses
import itertools
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from jaxvae.errors import did_you_mean
from jaxvae.options.schedules import Number, parse_number

NOUNS: dict[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a word",
    Path: "a path",
    Number: "a number, or a schedule such as 0:1@2000",
}
"""Words for the values of a type."""


def complaint_of(config_type: type, arguments: Sequence[str]) -> str:
    """Describe the error in arguments that do not parse as a `config_type`: the option, its value, the remedy.

    >>> @dataclasses.dataclass
    ... class Config:
    ...     hidden: tuple[int, ...] = ()
    >>> complaint_of(Config, ["--hiden", "3"])
    "'--hiden': no such option (did you mean 'hidden'?); --help lists them all"
    >>> complaint_of(Config, ["--hidden", "3", "x"])
    "hidden: must be a whole number, got 'x'"
    """
    kinds, words = dict(_options(config_type)), _words(config_type)
    return complaint(kinds, _named(words, arguments), words=words, required=_required(config_type))


def complaint(
    kinds: Mapping[str, Any],
    arguments: Sequence[str],
    *,
    words: Sequence[str] = (),
    required: Sequence[str] = (),
    unknown: Callable[[str], str] | None = None,
) -> str:
    """Describe the error in arguments that do not parse.

    Args:
        kinds: types of the options' values, by flag.
        arguments: arguments, in which positional ones have their flags.
        words: names of the positional options.
        required: flags of the options without a default.
        unknown: function that describes a flag that is not in `kinds`.
    """
    given = _grouped(arguments)
    for option, values in given:
        if option.startswith("--") and option not in ("--", *kinds) and unknown is not None:
            return unknown(option)
        if found := _fault(option, values, kinds):
            return found
    for name in required:
        if name not in [option for option, _ in given]:
            return f"{name[2:]}: missing; give {name[2:].upper() if name[2:] in words else name}"
    return "the options make no sense together; --help lists them all"


def flags(flag: str, kind: Any) -> list[str]:
    """Return the spellings of an option: a switch has a second one that turns it off."""
    return [flag, f"--no-{flag[2:]}"] if kind is bool else [flag]


def _options(config_type: type) -> Iterable[tuple[str, Any]]:
    """Yield every option with the type of its value; nested dataclasses are flattened."""
    for name, kind in typing.get_type_hints(config_type).items():
        if dataclasses.is_dataclass(kind):
            yield from _options(typing.cast(type, kind))
        else:
            yield from ((flag, kind) for flag in flags("--" + name.replace("_", "-"), kind))


def _words(config_type: type) -> list[str]:
    """Return positional options, the fields that tyro marks as such."""
    hints = typing.get_type_hints(config_type, include_extras=True)
    return [name for name, kind in hints.items() if typing.get_origin(kind) is typing.Annotated]


def _named(words: Sequence[str], arguments: Sequence[str]) -> list[str]:
    """Insert the names of positional options before their values."""
    front = list(itertools.takewhile(lambda argument: not argument.startswith("-"), arguments))
    named = [part for word, value in zip(words, front) for part in (f"--{word}", value)]
    return [*front[len(words) :], *named, *arguments[len(front) :]]


def _required(config_type: type) -> list[str]:
    missing = dataclasses.MISSING
    fields = [f for f in dataclasses.fields(config_type) if f.default is missing and f.default_factory is missing]
    return ["--" + field.name.replace("_", "-") for field in fields]


def _grouped(arguments: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Group options with the values that follow them; values before the first option belong to none."""
    groups: list[tuple[str, list[str]]] = [("", [])]
    for argument in arguments:
        if argument.startswith("-") and not _is(float, argument):
            option, *value = argument.split("=", 1)
            groups.append((option.replace("_", "-"), value))
        else:
            groups[-1][1].append(argument)
    return groups


def _fault(option: str, values: list[str], kinds: Mapping[str, Any]) -> str | None:
    if option in ("", "--"):
        return f"{values[0]!r}: belongs to no option; --help lists them all" if values else None
    if option not in kinds:
        hint = did_you_mean(option[2:], [known[2:] for known in kinds])
        return f"{option!r}: no such option{hint}; --help lists them all"
    name, (kind, *none) = option[2:], alternatives(kinds[option])
    if kind is bool:
        name = name.removeprefix("no-")
        return f"{name}: takes no value, got {values[0]!r}; give --{name} or --no-{name}" if values else None
    if typing.get_origin(kind) is tuple:
        kind = typing.get_args(kind)[0]
    elif len(values) != 1:
        return f"{name}: takes one value, got {' '.join(values) or 'none'}; write {option} VALUE"
    wrong = next((value for value in values if not _is(kind, value) and values != none), None)
    if wrong is None:
        return None
    if typing.get_origin(kind) is Literal:
        choices = typing.get_args(kind)
        return f"{name}: must be one of {', '.join(choices)}, got {wrong!r}{did_you_mean(wrong, choices)}"
    return f"{name}: must be {NOUNS[kind]}, got {wrong!r}"


def alternatives(kind: Any) -> list[Any]:
    """Return a type, and None where it is allowed."""
    alternatives = typing.get_args(kind)
    if types.NoneType not in alternatives:
        return [kind]
    return [*(set(alternatives) - {types.NoneType}), "None"]


def _is(kind: Any, value: str) -> bool:
    """Return True if a word can be parsed as a value of this type."""
    if typing.get_origin(kind) is Literal:
        return value in typing.get_args(kind)
    try:
        parse_number(value) if kind == Number else kind(value)
    except ValueError:
        return False
    return True
