"""Labels that choose examples, and labels that are hidden, to learn from few of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from jaxvae.data.attributes import class_labels
from jaxvae.data.dataset import Dataset, Split
from jaxvae.errors import InputError, did_you_mean


def only_classes(data: Dataset, names: Sequence[str]) -> Dataset:
    """Return the data set whose training and validation examples are of these classes; all if none is named.

    The test split keeps all its examples, so that those of other classes can be found in it.

    Args:
        data: data set.
        names: classes by name or number.

    Raises:
        InputError: there are no labels, or there is no such class in the training split.
    """
    if not names:
        return data
    numbers = class_numbers("only", data.train, names, data.classes)

    def chosen(split: Split) -> Split:
        return split if split.label is None else split.take(np.flatnonzero(np.isin(split.label, numbers)))

    validation = chosen(data.validation) if data.validation else None
    kept = validation if validation and validation.num_examples else None
    return data._replace(train=chosen(data.train), validation=kept)


def class_numbers(option: str, split: Split, names: Sequence[str], classes: Sequence[str] = ()) -> list[int]:
    """Return the numbers of classes, given by name or number.

    Args:
        option: name of the option in messages.
        split: split with labels.
        names: classes wanted.
        classes: names of all classes, in the order of their numbers; empty where they have none.

    Raises:
        InputError: there are no labels, or there is no such class in the split.
    """
    if split.label is None:
        raise InputError(f"{option}: the examples have no labels; leave it out, or name a data set that has some")
    numbers = class_labels(split, classes)
    known = {**{str(number): number for number in numbers.values()}, **numbers}
    if unknown := [name for name in names if name not in known]:
        hint, there = did_you_mean(unknown[0], known), ", ".join([*numbers][:20])
        raise InputError(f"{option}: there is no class {unknown[0]!r}{hint}; give one of {there}")
    return [known[name] for name in names]


def hide_labels(data: Dataset, num: int | None, seed: int) -> Dataset:
    """Return the data set whose training examples have few labels; as it is if no number is given."""
    return data if num is None else data._replace(train=with_few_labels(data.train, num, seed))


def with_few_labels(split: Split, num: int, seed: int) -> Split:
    """Return a split of which `num` examples keep their labels, as many of each class; all others have -1, unknown.

    Args:
        split: training split.
        num: number of labels to keep.
        seed: seed of the choice.

    Raises:
        InputError: there are no labels, or the classes cannot have as many each.
    """
    if split.label is None:
        raise InputError("labelled: the training split has no labels; leave it out, or name a data set that has some")
    classes = np.unique(split.label[split.label >= 0])
    each, rest = divmod(num, max(len(classes), 1))
    if rest or not each:
        raise InputError(f"labelled: {num} labels cannot be as many for each of {len(classes)} classes")
    draw, kept = np.random.default_rng(seed), np.full_like(split.label, -1)
    for number in classes:
        own = np.flatnonzero(split.label == number)
        if len(own) < each:
            raise InputError(f"labelled: class {number} has {len(own)} examples, fewer than {each}; ask for fewer")
        chosen = draw.choice(own, each, replace=False)
        kept[chosen] = number
    return split._replace(label=kept)
