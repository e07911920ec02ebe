"""Conditions of examples: the class or the attributes that a model gets besides x."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np

from jaxvae.data.dataset import Dataset, Split
from jaxvae.data.spaces import QUADRANTS, Categories, Quadrants, Real
from jaxvae.errors import InputError, did_you_mean
from jaxvae.types import Space

LABEL = "label"
"""Name of the class as a condition."""
ATTRIBUTES = "attributes"
"""Name of the fact with the names of the categories of attributes, where they have any."""


@dataclasses.dataclass(frozen=True)
class Classes:
    """Class of each example; `names` are those of the classes, in the order of their numbers."""

    names: tuple[str, ...]

    @property
    def space(self) -> Space:
        """Space of one-hot vectors."""
        return Categories(len(self.names))

    def rows(self, split: Split) -> np.ndarray:
        """Return `[N]` class numbers of a split, -1 where the class is unknown.

        Raises:
            InputError: the split has no labels, or one of no class.
        """
        if split.label is None:
            raise InputError("condition: a split has no labels; name a data set whose splits all have some")
        unknown = split.label[(split.label < -1) | (split.label >= len(self.names))]
        if unknown.size:
            raise InputError(
                f"condition: label {unknown[0]} is none of the {len(self.names)} classes of the training split; give "
                "-1 for an unknown class"
            )
        return np.asarray(split.label, np.int32)

    def parse(self, text: str) -> np.ndarray:
        """Return the `[K]` one-hot vector of a class, given by its name or its number.

        >>> print(Classes(("cat", "dog")).parse("dog"))
        [0. 1.]

        Raises:
            InputError: there is no such class.
        """
        numbers = {**{str(number): number for number in range(len(self.names))}, **_numbered(self.names)}
        if text not in numbers:
            hint, known = did_you_mean(text, self.names), ", ".join(self.names[:20])
            raise InputError(f"condition: there is no class {text!r}{hint}; give one of {known}")
        return np.eye(len(self.names), dtype=np.float32)[numbers[text]]

    def to_json(self) -> dict[str, Any]:
        """Return plain values, as the manifest holds them."""
        return {"names": [LABEL], "classes": list(self.names)}


@dataclasses.dataclass(frozen=True)
class Attributes:
    """Attributes of each example: numbers standardised over the training split, categories as one-hot vectors."""

    names: tuple[str, ...]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    categories: tuple[tuple[str, ...], ...] = ()
    """Names of each attribute's categories, none for a number; empty where all are numbers."""

    @property
    def space(self) -> Space:
        """Space of vectors with one number for each attribute, and one for each category of one."""
        return Real((sum(max(1, len(known)) for known in self._categories),))

    def rows(self, split: Split) -> np.ndarray:
        """Return `[N, A]` numbers of a split; a category that is unknown, -1, is zeros.

        Raises:
            InputError: the split lacks an attribute, or one is not finite or of no category.
        """
        return self._vectors([_codes(split, name, known) for name, known in zip(self.names, self._categories)])

    def parse(self, text: str) -> np.ndarray:
        """Return the `[A]` vector of `NAME=VALUE` joined by commas; other numbers are at their mean.

        >>> print(Attributes(("age", "smile"), (40.0, 0.5), (10.0, 0.5)).parse("age=60"))
        [2. 0.]
        >>> print(Attributes(("batch",), (0.0,), (1.0,), (("north", "south"),)).parse("batch=south"))
        [0. 1.]

        Raises:
            InputError: a part has another form, names no attribute of the condition or no category of one.
        """
        kinds = dict(zip(self.names, self._categories))
        values = {name: -1.0 if kinds[name] else mean for name, mean in zip(self.names, self.mean)}
        for part in text.split(","):
            name, _, value = part.partition("=")
            if name not in values:
                raise InputError(
                    f"condition: {name!r} is no attribute of this run{did_you_mean(name, self.names)}; give "
                    f"NAME={'VALUE' if self.categories else 'NUMBER'} of {', '.join(self.names)}"
                )
            values[name] = _category(name, value, kinds[name]) if kinds[name] else _number(name, value)
        return self._vectors([np.array([value]) for value in values.values()])[0]

    def to_json(self) -> dict[str, Any]:
        """Return plain values, as the manifest holds them."""
        numbers = {"names": list(self.names), "mean": list(self.mean), "deviation": list(self.deviation)}
        return {**numbers, "categories": list(map(list, self.categories))} if self.categories else numbers

    @property
    def _categories(self) -> tuple[tuple[str, ...], ...]:
        return self.categories or ((),) * len(self.names)

    def _vectors(self, columns: list[np.ndarray]) -> np.ndarray:
        """Return `[N, A]` of the `[N]` values of each attribute."""
        parts = []
        for name, values, mean, deviation, known in zip(
            self.names, columns, self.mean, self.deviation, self._categories, strict=True
        ):
            if known and not {*values.tolist()} <= {*range(-1, len(known))}:
                raise InputError(
                    f"condition: {name!r} holds {values.max():g}, it has {len(known)} categories in training"
                )
            parts.append(values[:, None] == np.arange(len(known)) if known else (values[:, None] - mean) / deviation)
        return np.concatenate(parts, axis=1).astype(np.float32)


@dataclasses.dataclass(frozen=True)
class Seen:
    """Quadrants of each image that a model sees, which completes the others (Sohn et al. 2015, section 5.1)."""

    names: tuple[str, ...]
    shape: tuple[int, ...]
    """Shape of an image."""

    @property
    def space(self) -> Quadrants:
        """Space of images whose other pixels are 0."""
        return Quadrants(self.shape, self.names)

    def rows(self, split: Split) -> None:
        """Return None: what is seen is a part of each example."""
        del split

    def parse(self, text: str) -> np.ndarray:
        """Refuse any text.

        Raises:
            InputError: always.
        """
        raise InputError(f"condition: each image shows its own {' and '.join(self.names)}, got {text!r}; leave it out")

    def to_json(self) -> dict[str, Any]:
        """Return plain values, as the manifest holds them."""
        return {"names": list(self.names), "shape": list(self.shape)}


Condition: TypeAlias = Classes | Attributes | Seen


def from_json(values: Mapping[str, Any]) -> Condition:
    """Invert `to_json`."""
    if values["names"] == [LABEL]:
        return Classes(tuple(values["classes"]))
    if "shape" in values:
        return Seen(tuple(values["names"]), tuple(values["shape"]))
    categories = tuple(tuple(names) for names in values.get("categories", ()))
    names, mean, deviation = (tuple(values[name]) for name in ("names", "mean", "deviation"))
    return Attributes(names, mean, deviation, categories)


def of_facts(facts: Mapping[str, Any]) -> Condition | None:
    """Return the meaning of a run's conditions from its facts; None where it has none."""
    return from_json(facts["condition"]) if "condition" in facts else None


def fit_condition(text: str, data: Dataset) -> Condition:
    """Return the meaning of a condition for a data set, from its training split.

    Args:
        text: `label`, or the names of attributes or of quadrants joined by commas.
        data: data set as stored.

    Raises:
        InputError: the training split has no labels, or those of one class; it has no such attribute, or one that is
            the same everywhere or not finite; or quadrants are asked for, and examples are no images or all is seen.
    """
    if text == LABEL:
        return Classes(_class_names(data))
    names = tuple(text.split(","))
    if {*names} <= {*QUADRANTS}:
        return _seen(names, data)
    columns = np.stack([_values(data.train, name) for name in names])
    for name, column in zip(names, columns):
        if np.ptp(column) == 0:
            raise InputError(f"condition: {name!r} is {column[0]:g} in all {len(column)} examples; name another")
    known = data.facts.get(ATTRIBUTES, {})
    categories = tuple(tuple(known.get(name, ())) for name in names) if {*names} & {*known} else ()
    return Attributes(names, tuple(columns.mean(axis=1).tolist()), tuple(columns.std(axis=1).tolist()), categories)


def conditioned(data: Dataset, condition: Condition) -> Dataset:
    """Return the same set, whose splits have the condition of each example.

    Raises:
        InputError: a split lacks it.
    """

    def add(split: Split) -> Split:
        return split._replace(condition=condition.rows(split), condition_space=condition.space)

    return data.map_splits(add)._replace(condition=condition)


def _seen(names: tuple[str, ...], data: Dataset) -> Seen:
    if len(data.shape) != 3 or min(data.shape[:2]) < 2:
        raise InputError(f"condition: only images [H, W, C] have quadrants, {data.name} holds {data.shape}; use others")
    ordered = tuple(name for name in QUADRANTS if name in names)  # one name for one condition
    if len(ordered) == len(QUADRANTS):
        raise InputError("condition: with all four quadrants seen nothing is left to complete; name fewer")
    return Seen(ordered, tuple(data.shape))


def _class_names(data: Dataset) -> tuple[str, ...]:
    label = data.train.label
    if label is None:
        raise InputError("condition: the data set has no labels; name one that has, or an attribute")
    known = np.unique(label[label >= 0])
    if len(known) < 2:
        raise InputError("condition: the training examples are of one class; name a set of two or more")
    return data.classes or tuple(map(str, range(known[-1] + 1)))


def _numbered(names: tuple[str, ...]) -> dict[str, int]:
    return {name: number for number, name in enumerate(names)}


def _values(split: Split, name: str) -> np.ndarray:
    """Return `[N]` values of an attribute in float64."""
    if name not in split.attributes:
        known = [LABEL, *split.attributes] if split.label is not None else [*split.attributes]
        hint, found = did_you_mean(name, known), f"give one of {', '.join(known)}" if known else "the set has none"
        raise InputError(f"condition: the data set has no attribute {name!r}{hint}; {found}")
    values = np.asarray(split.attributes[name], np.float64)
    if gaps := np.count_nonzero(~np.isfinite(values)):
        raise InputError(f"condition: {name!r} is NaN or infinite in {gaps} of {len(values)} examples; name another")
    return values


def _codes(split: Split, name: str, known: tuple[str, ...]) -> np.ndarray:
    """Return `[N]` values of an attribute; words are the names of its categories."""
    given = np.asarray(split.attributes.get(name, 0.0))
    if given.dtype.kind not in "UO":
        return _values(split, name)
    return np.array([_category(name, str(word), known) for word in given.tolist()])


def _category(name: str, text: str, known: tuple[str, ...]) -> float:
    if text not in known:
        hint, some = did_you_mean(text, known), ", ".join(known[:20])
        raise InputError(f"condition: {name} has no category {text!r}{hint}; give {name}= one of {some}")
    return float(known.index(text))


def _number(name: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not np.isfinite(number):
        raise InputError(f"condition: {name} must be a finite number, got {text!r}; give {name}=NUMBER")
    return number
