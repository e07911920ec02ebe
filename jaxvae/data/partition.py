"""Division of an unsplit set: by its part numbers, or those of a fixed permutation."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from jaxvae.data.dataset import Dataset, Split
from jaxvae.data.spaces.judged import image_space
from jaxvae.errors import InputError
from jaxvae.types import Space

TRAIN, VALIDATION, TEST = 0, 1, 2
"""Part numbers."""

SPLITS = {"train": TRAIN, "training": TRAIN, "test": TEST, "testing": TEST}
SPLITS |= dict.fromkeys(("val", "valid", "validation"), VALIDATION)
"""Part numbers by the names that splits have, in any letter case."""
NUMBERED = {**SPLITS, **{str(part): part for part in (TRAIN, VALIDATION, TEST)}}
"""Part numbers by those names and by themselves, as files tell them."""

_SEED = 0


class Whole(NamedTuple):
    """Set of examples before its division."""

    split: Split
    """All examples."""
    parts: np.ndarray | None = None
    """`[N]` part numbers; None divides the set 80/10/10."""
    space: Space | None = None
    """Meaning of the examples; None judges images by their values."""
    classes: tuple[str, ...] = ()
    facts: Mapping[str, Any] = MappingProxyType({})
    preparation: Mapping[str, str] = MappingProxyType({})


def random_parts(num_examples: int, validation: int, test: int) -> np.ndarray:
    """Return `[N]` part numbers with these numbers of validation and test examples, the same for equal sizes."""
    # NumPy guarantees a bit generator's raw stream across versions, but not the result of permutation().
    order = np.argsort(np.random.PCG64(_SEED).random_raw(num_examples), kind="stable")
    parts = np.full(num_examples, TRAIN, np.int32)
    parts[order[:validation]] = VALIDATION
    parts[order[validation : validation + test]] = TEST
    return parts


def tenths(what: str | Path, num_examples: int) -> np.ndarray:
    """Return part numbers for 80/10/10."""
    if num_examples < 2:
        raise InputError(f"{what}: 1 example cannot be divided; give at least 2")
    return random_parts(num_examples, validation=num_examples // 10, test=max(1, num_examples // 10))


def check_splits(what: str | Path, names: Collection[str]) -> None:
    """Refuse a set whose splits cannot be used; a new division would not be its owner's intention.

    Args:
        what: name of the set in messages.
        names: names of its splits, of `SPLITS` or in another letter case.

    Raises:
        InputError: there is no train or no test split, or two names for one.
    """
    if len(numbers := {SPLITS[name.lower()] for name in names}) < len(names):
        raise InputError(f"{what}: the splits {_listed(names)} are two names for one; join them")
    if not {TRAIN, TEST} <= numbers:
        remedy = "rename one, add what is missing, or name one of them alone, which is then divided 80/10/10"
        raise InputError(f"{what}: holds only {_listed(names)}, but train and test are needed; {remedy}")


def _listed(names: Collection[str]) -> str:
    return " and ".join(sorted(names))


def divide(name: str, whole: Split, parts: np.ndarray, space: Space | None = None) -> Dataset:
    """Divide a set by its part numbers; every part keeps the order of its examples.

    Args:
        name: name of the set.
        whole: all examples.
        parts: `[N]` part numbers.
        space: meaning of the values; by default images', judged by the training part.
    """
    whole = whole._replace(origin=np.arange(whole.num_examples))
    train, validation, test = (whole.take(np.flatnonzero(parts == number)) for number in (TRAIN, VALIDATION, TEST))
    data = Dataset(name, train, test, validation if validation.num_examples else None)
    return data.of_space(space or image_space(train.x))


def divided(what: str, name: str, whole: Whole) -> Dataset:
    """Divide a set as its parts say, 80/10/10 where they say nothing.

    Args:
        what: name of the set in messages.
        name: name of the data set.
        whole: set to divide.

    Raises:
        InputError: it holds a single example.
    """
    parts = tenths(what, whole.split.num_examples) if whole.parts is None else whole.parts
    data = divide(name, whole.split, parts, whole.space)
    return data._replace(classes=whole.classes, facts=whole.facts, preparation=whole.preparation)


def without_unknown_labels(split: Split) -> Split:
    """Return a split without its labels where an example has none, -1."""
    return split._replace(label=None) if split.label is not None and (split.label < 0).any() else split
