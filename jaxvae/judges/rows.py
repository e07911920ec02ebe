"""Distances between rows of tokens: how far a sentence or a melody is from another."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from jaxvae.errors import InputError


def hamming(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the share of positions `[...]` at which rows `[..., T]` differ, from 0 to 1.

    Raises:
        InputError: the rows differ in length.

    >>> float(hamming(np.array([3, 4, 4, 1]), np.array([3, 4, 5, 1])))
    0.25
    """
    a, b = np.asarray(a), np.asarray(b)
    if a.shape[-1] != b.shape[-1]:
        raise InputError(f"b: must have a's {a.shape[-1]} positions, got {b.shape[-1]}; use edit_distance")
    return (a != b).mean(axis=-1)


def edit_distance(a: Sequence[Hashable], b: Sequence[Hashable]) -> int:
    """Return the least number of insertions, deletions and replacements that turn a sequence into another.

    Reference: Levenshtein 1966; Wagner & Fischer 1974, https://doi.org/10.1145/321796.321811.

    >>> edit_distance("kitten", "sitting"), edit_distance("the cat sat".split(), "a cat sat down".split())
    (3, 2)
    """
    previous = list(range(len(b) + 1))
    for row, left in enumerate(a, start=1):
        current = [row]
        for column, right in enumerate(b, start=1):
            replaced = previous[column - 1] + (left != right)
            current.append(min(replaced, previous[column] + 1, current[-1] + 1))
        previous = current
    return previous[-1]
