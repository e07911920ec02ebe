"""Labels that are hidden, to learn from few of them."""

from __future__ import annotations

import numpy as np

from jaxvae.data.dataset import Dataset, Split
from jaxvae.errors import InputError


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
