"""Names of options: what a recipe takes, under which name, of which part."""

from __future__ import annotations

import dataclasses
import functools
import typing
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from jaxvae.errors import InputError, did_you_mean
from jaxvae.options.recipe import AXES, Recipe

UNPREFIXED = frozenset({"networks", "objective", "data", "sequences", "train", "output", "compute"})
"""Parts of a recipe whose options stand without a prefix."""
ROOT = ("latent_dim", "condition")
"""Options of the recipe itself."""


class Option(NamedTuple):
    """One option of a recipe."""

    name: str
    """Name with its prefix, such as `beta` or `prior.num_inputs`."""
    part: str
    """Name of the part that has it, or an empty one for the recipe itself."""
    field: str
    kind: Any
    value: Any
    owner: type
    """Class of the part."""

    @property
    def flag(self) -> str:
        """Spelling on the command line."""
        return "--" + self.name.replace("_", "-")


def options(recipe: Recipe) -> dict[str, Option]:
    """Return all options that a recipe takes, by name.

    Raises:
        TypeError: two parts have an option of the same name.
    """
    found: dict[str, Option] = {}
    for option in _each(recipe):
        if option.name in found:
            raise TypeError(f"{option.name}: is an option of {found[option.name].part} and of {option.part}")
        found[option.name] = option
    return found


def _each(recipe: Recipe) -> Iterator[Option]:
    root = {option.field: option for option in options_in("", recipe)}
    yield from (root[name] for name in ROOT)
    for part, value in recipe.parts():
        yield from options_in(part, value)


def options_in(part: str, value: Any) -> Iterator[Option]:
    """Yield the options of one part."""
    prefix = "" if not part or part in UNPREFIXED else f"{part}."
    owner: Any = type(value)
    kinds = _kinds(owner)
    for field in dataclasses.fields(value):
        yield Option(prefix + field.name, part, field.name, kinds[field.name], getattr(value, field.name), owner)


@functools.cache
def _kinds(owner: type) -> Mapping[str, Any]:
    """Return the types of a class's fields: to resolve them takes most of the time of naming its options."""
    return typing.get_type_hints(owner)


def replace(recipe: Recipe, values: Mapping[str, Any]) -> Recipe:
    """Return a recipe with other values of its options, by name.

    Raises:
        InputError: the recipe does not take an option.
    """
    known, changes = options(recipe), defaultdict[str, dict[str, Any]](dict)
    for name, value in values.items():
        if name not in known:
            raise InputError(refusal(name, known))
        changes[known[name].part][known[name].field] = value
    parts = dict(recipe.parts())
    recipe = dataclasses.replace(recipe, **changes.pop("", {}))
    for part, fields in changes.items():
        recipe = recipe.replace_part(part, dataclasses.replace(parts[part], **fields))
    return recipe


def refusal(name: str, known: Iterable[str]) -> str:
    """Describe an option that a recipe does not take: which choice it belongs to, or what it may have meant."""
    option = name.replace("_", "-")
    if owners := list(belongs_to(name)):
        return f"{option}: belongs to {' or '.join(owners)}; choose that, or leave it out"
    names = [other.replace("_", "-") for other in known]
    return f"'--{option}': no such option{did_you_mean(option, names)}; --help lists them all"


def belongs_to(name: str) -> Iterator[str]:
    """Yield the choices that have an option, such as `--prior vamp`."""
    for axis, table in AXES.items():
        own = name if axis in UNPREFIXED else name.removeprefix(f"{axis}.") if name.startswith(f"{axis}.") else None
        kinds = [kind for kind, cls in table.items() if own in {field.name for field in dataclasses.fields(cls)}]
        if kinds:
            yield f"--{axis} {' or '.join(kinds)}"
