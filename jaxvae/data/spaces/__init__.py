"""Spaces: what an example is, how it is read, and how it is shown."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from jaxvae.data.spaces.categories import Categories as Categories
from jaxvae.data.spaces.counts import Counts as Counts
from jaxvae.data.spaces.incomplete import Incomplete as Incomplete
from jaxvae.data.spaces.pixels import INK as INK
from jaxvae.data.spaces.pixels import PixelKind as PixelKind
from jaxvae.data.spaces.pixels import Pixels as Pixels
from jaxvae.data.spaces.quadrants import QUADRANTS as QUADRANTS
from jaxvae.data.spaces.quadrants import Quadrants as Quadrants
from jaxvae.data.spaces.real import Real as Real
from jaxvae.data.spaces.table import Table as Table
from jaxvae.data.spaces.tokens import Tokens as Tokens
from jaxvae.errors import InputError
from jaxvae.types import Space

SPACES: dict[str, Any] = {
    "pixels": Pixels,
    "real": Real,
    "counts": Counts,
    "tokens": Tokens,
    "table": Table,
    "incomplete": Incomplete,
    "categories": Categories,
    "quadrants": Quadrants,
}
"""Spaces by their names in a run's facts."""


def to_json(space: Any) -> dict[str, Any]:
    """Return plain values.

    >>> from_json(to_json(Counts((765,))))
    Counts(shape=(765,))
    """
    name = next(name for name, made in SPACES.items() if type(space) is made)
    return {"space": name, **dataclasses.asdict(space)}


def of_facts(facts: Mapping[str, Any]) -> Space:
    """Return the space of a run's data from its facts; those of images hold their shape and kind alone."""
    if "space" in facts:
        return from_json(facts["space"])
    shape, kind = tuple(facts["shape"]), facts.get("pixels", "grey")
    return Real(shape) if kind == "real" else Pixels(shape, kind)


def from_json(values: Mapping[str, Any]) -> Space:
    """Invert `to_json`.

    Raises:
        InputError: there is no such space.
    """
    if (name := values.get("space")) not in SPACES:
        raise InputError(f"space: {name!r} is not one of {', '.join(SPACES)}; the run is of another version")
    fields = {field: tuple(value) if isinstance(value, list) else value for field, value in values.items()}
    return SPACES[name](**{field: value for field, value in fields.items() if field != "space"})
