"""Recipe as plain values, as config.json holds it, and back."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from jaxvae import stores
from jaxvae.errors import InputError
from jaxvae.options.names import ROOT
from jaxvae.options.recipe import AXES, EXTRAS, GROUPS, Recipe, kind_of
from jaxvae.options.schedules import Schedule

FORMAT = 3
"""Number of this form; the forms before it were flat and had no number."""
KINDS: Mapping[str, Mapping[str, type]] = {**AXES, "extras": EXTRAS}
T = TypeVar("T")


def to_json(recipe: Recipe) -> dict[str, Any]:
    """Return plain values; each choice has its name as `kind`, at every depth."""
    axes = {axis: plain(getattr(recipe, axis), AXES[axis]) for axis in AXES}
    extras = [plain(extra, EXTRAS) for extra in recipe.extras]
    root = {name: getattr(recipe, name) for name in ("preset", *ROOT)}
    groups = {group: _fields(getattr(recipe, group), {}) for group in GROUPS}
    return {"format": FORMAT, **root, **axes, "extras": extras, **groups}


def from_json(values: Mapping[str, Any], classes: Iterable[type] = ()) -> Recipe:
    """Invert `to_json`.

    Args:
        values: plain values of this format.
        classes: options classes that are in no table; those that a file names are looked up among these alone.

    Raises:
        InputError: the values are of a later format, or name an unknown field or class.
    """
    if values.get("format") != FORMAT:
        raise InputError(
            f"config.json: format {values.get('format')!r}, but this jaxvae reads {FORMAT}; use a newer one"
        )
    own = {f"{cls.__module__}:{cls.__qualname__}": cls for cls in classes}
    rest = {name: value for name, value in values.items() if name != "format"}
    read: dict[str, Any] = {}
    for axis, table in AXES.items():
        read[axis] = _choice(axis, rest.pop(axis, None), {**table, **own})
    read["extras"] = tuple(_choice("extras", extra, {**EXTRAS, **own}) for extra in rest.pop("extras", ()))
    for group in GROUPS:
        cls = typing.get_type_hints(Recipe)[group]
        read[group] = read_options(cls, rest.pop(group, {}))
    _check_known(rest, ("preset", *ROOT))
    return Recipe(**rest, **{name: value for name, value in read.items() if value is not None})


def plain(value: Any, table: Mapping[str, type]) -> Any:
    """Return a plain value of an option, or of an options object, whose kind is its name in the table."""
    if dataclasses.is_dataclass(value) and not isinstance(value, Schedule):
        return {"kind": kind_of(value, table), **_fields(value, table)}
    if isinstance(value, tuple):
        return [plain(part, table) for part in value]
    if isinstance(value, Path):
        return stores.address(value) or stores.named(str(value))
    return str(value) if isinstance(value, Schedule) else value


def _fields(value: Any, table: Mapping[str, type]) -> dict[str, Any]:
    fields = [field for field in dataclasses.fields(value) if field.metadata.get("stored", True)]
    return {field.name: plain(getattr(value, field.name), table) for field in fields}


def _choice(axis: str, plain: Any, table: Mapping[str, type]) -> Any:
    if not isinstance(plain, Mapping):
        return plain
    kind = str(plain.get("kind"))
    if kind not in table:
        remedy = (
            "pass its class to `load_run(..., classes=[...])`" if ":" in kind else "it was written by another version"
        )
        raise InputError(f"config.json: {axis} of kind {kind!r} is unknown; {remedy}")
    return _read(table[kind], {name: value for name, value in plain.items() if name != "kind"}, table)


def read_options(cls: type[T], plain: Mapping[str, Any]) -> T:
    """Read the options of a part that every recipe has."""
    return _read(cls, plain, {})


def _read(cls: type[T], plain: Mapping[str, Any], table: Mapping[str, type]) -> T:
    kinds = typing.get_type_hints(cls)
    _check_known(plain, [field.name for field in dataclasses.fields(cls)])  # type: ignore[arg-type]
    return cls(**{name: _value(kinds[name], value, table) for name, value in plain.items()})


def _value(kind: Any, plain: Any, table: Mapping[str, type]) -> Any:
    """Read a value as its type wants it: paths, tuples, schedules and nested choices are written as other things."""
    alternatives = typing.get_args(kind) or (kind,)
    if isinstance(plain, Mapping):
        return _choice("part", plain, table)
    if isinstance(plain, list):
        return tuple(_value(Any, part, table) for part in plain)
    if isinstance(plain, str) and Path in alternatives:
        return Path(plain)
    return Schedule.parse(plain) if isinstance(plain, str) and Schedule in alternatives else plain


def _check_known(plain: Iterable[str], known: Iterable[str]) -> None:
    if unknown := sorted(set(plain) - set(known)):
        raise InputError(f"config.json: unknown fields {unknown}; it was written by another version")
