"""Attributes of every example, by name: its class, the set's own attributes, and measures of strokes and tokens."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np

from jaxvae.data.dataset import Dataset, Split
from jaxvae.data.rows import blocks
from jaxvae.data.sequences import PITCHES
from jaxvae.data.spaces import INK
from jaxvae.data.spaces.values import full_scale
from jaxvae.data.strokes import slant, stroke_width
from jaxvae.errors import InputError, did_you_mean
from jaxvae.music.attributes import measured

logger = logging.getLogger(__name__)

MEASURES: dict[str, Callable[[np.ndarray], np.ndarray]] = {"slant": slant, "width": stroke_width}
"""Measures of images that are ink on paper, by name."""


def named_attributes(
    split: Split, pixels: str, names: Sequence[str] = (), classes: Sequence[str] = ()
) -> dict[str, np.ndarray]:
    """Return `[N]` numbers for each attribute of a split's images.

    There is one for each class, 1 or 0, named as the class is, or by its number; every one of `split.attributes`; and,
    where pixels are ink, `slant` and `width`.

    Args:
        split: labels, attributes and images.
        pixels: meaning of the data set's values, its space's kind.
        names: names of the attributes wanted, in this order; all if empty. A class may be given by its number, too.
        classes: names of the classes, in the order of their numbers; empty where they have none.

    Raises:
        InputError: there is no attribute of such a name, or none at all.

    >>> import numpy as np
    >>> split = Split(np.zeros((3, 4, 4, 1)), np.array([1, 0, 1]), {"age": np.array([31.0, 64.0, 9.0])})
    >>> {name: values.tolist() for name, values in named_attributes(split, "grey", classes=("cat", "dog")).items()}
    {'cat': [0, 1, 0], 'dog': [1, 0, 1], 'age': [31.0, 64.0, 9.0]}
    """
    labels = class_labels(split, classes)
    measures = MEASURES if pixels in INK and split.x.shape[3:] == (1,) else {}
    known = [*labels, *split.attributes, *(name for name in measures if name not in split.attributes)]
    if not known:
        raise InputError("attribute: the data set has neither labels nor attributes; name a set that has some")
    by_number = {str(label): name for name, label in labels.items()}
    names = [name if name in known else by_number.get(name, name) for name in names]
    if unknown := [name for name in names if name not in known]:
        hint = did_you_mean(unknown[0], known)
        raise InputError(f"attribute: {unknown[0]!r} is none of this data set's{hint}; give one of {', '.join(known)}")

    def values(name: str) -> np.ndarray:
        if name in split.attributes:
            return split.attributes[name]
        if name in labels:
            return np.asarray(split.label == labels[name], np.int32)
        scale = full_scale(split.x)
        return np.concatenate([measures[name](block / scale) for block in blocks(split.x)])

    return {name: values(name) for name in names or known}


def sequence_attributes(data: Dataset, rows: np.ndarray) -> dict[str, np.ndarray]:
    """Return `[N]` numbers for each attribute of rows of tokens `[N, T]`; none where examples are no tokens.

    Melodies have those of `jaxvae.music.attributes`, and any other rows their `length`, the tokens before the end mark.
    """
    space: Any = data.space
    if space.kind != "tokens":
        return {}
    if PITCHES not in data.facts:
        return {"length": (~np.isin(rows, (space.padding, space.end))).sum(1)}
    shown: Any = data.show(rows)
    return measured(shown.notes, shown.length)


def class_labels(split: Split, classes: Sequence[str] = ()) -> dict[str, int]:
    """Return the numbers of a split's classes, by their names as attributes.

    A class with the name of an attribute is called `class NAME`.
    """
    labels = [] if split.label is None else np.unique(split.label[split.label >= 0]).tolist()
    taken = {*split.attributes, *MEASURES}
    names = {class_name(label, classes): label for label in labels}
    return {f"class {name}" if name in taken else name: label for name, label in names.items()}


def class_name(label: int, classes: Sequence[str]) -> str:
    """Return the name of a class, or its number where it has none; -1 is unknown."""
    if label < 0:
        return "unknown"
    return classes[label] if label < len(classes) else str(label)


def usable_attributes(
    attributes: Mapping[str, np.ndarray], *, wanted: Collection[str] = (), may_be_constant: bool = False
) -> dict[str, np.ndarray]:
    """Leave out attributes that are constant or have missing values, each with a warning that names it.

    Args:
        attributes: `[N]` values by name.
        wanted: names that were asked for explicitly; such an attribute is refused instead.
        may_be_constant: keep attributes whose values are all equal.

    Raises:
        InputError: a wanted attribute cannot be used.
    """
    faults = {name: _fault(np.asarray(values), may_be_constant) for name, values in attributes.items()}
    for name, fault in faults.items():
        if fault and name in wanted:
            raise InputError(f"attribute: {name!r} {fault}; name another")
        if fault:
            logger.warning("attribute: %r %s; it is left out", name, fault)
    return {name: values for name, values in attributes.items() if not faults[name]}


def _fault(values: np.ndarray, may_be_constant: bool) -> str:
    """Return the reason why an attribute cannot be used, or an empty string."""
    for fault, there in (("NaN", np.isnan(values)), ("infinity", np.isinf(values))):
        if there.any():
            return f"holds {fault} in {there.sum()} of {len(values)} images"
    if not may_be_constant and len(np.unique(values)) < 2:
        return f"is {values[0]:g} in all {len(values)} images"
    return ""
