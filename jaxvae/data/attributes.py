"""What is known of every image, by name: its class, what its set says of it, and what can be measured on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from jaxvae.data.dataset import Pixels, Split, full_scale
from jaxvae.data.rows import blocks
from jaxvae.data.strokes import slant, stroke_width
from jaxvae.types import InputError, did_you_mean

MEASURES: dict[str, Callable[[np.ndarray], np.ndarray]] = {"slant": slant, "width": stroke_width}
"""Of images that are ink on paper."""


def named_attributes(split: Split, pixels: Pixels, names: Sequence[str] = ()) -> dict[str, np.ndarray]:
    """`[N]` numbers for each attribute of a split's images.

    There is one for each class, 1 or 0, named by its number; every one of `split.attributes`; and, where pixels are
    ink, `slant` and `width`.

    Args:
        split: labels, attributes and images.
        pixels: the data set's.
        names: the attributes wanted, in this order; all if empty.

    Raises:
        InputError: there is none of such a name, or none at all.

    >>> import numpy as np
    >>> split = Split(np.zeros((3, 4, 4, 1)), np.array([1, 0, 1]), {"age": np.array([31.0, 64.0, 9.0])})
    >>> {name: values.tolist() for name, values in named_attributes(split, "grey").items()}
    {'0': [0, 1, 0], '1': [1, 0, 1], 'age': [31.0, 64.0, 9.0]}
    """
    labels = () if split.label is None else np.unique(split.label)
    measures = MEASURES if pixels != "grey" and split.image.shape[3:] == (1,) else {}
    known = [*map(str, labels), *split.attributes, *(name for name in measures if name not in split.attributes)]
    if not known:
        raise InputError("attribute: the data set has neither labels nor attributes; name a set that has some")
    if unknown := [name for name in names if name not in known]:
        hint = did_you_mean(unknown[0], known)
        raise InputError(f"attribute: {unknown[0]!r} is none of this data set's{hint}; give one of {', '.join(known)}")

    def values(name: str) -> np.ndarray:
        if name in split.attributes:
            return split.attributes[name]
        if name in measures:
            scale = full_scale(split.image)
            return np.concatenate([measures[name](block / scale) for block in blocks(split.image)])
        return np.asarray(split.label == int(name), np.int32)

    return {name: values(name) for name in names or known}
