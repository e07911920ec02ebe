"""Distances between rows, against their definitions."""

import functools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxvae.errors import InputError
from jaxvae.judges import edit_distance, hamming

WORDS = st.text("abc", max_size=6)


def recursive(a, b):
    """Edit distance by its definition."""

    @functools.cache
    def distance(i, j):
        if not i or not j:
            return i + j
        replaced = distance(i - 1, j - 1) + (a[i - 1] != b[j - 1])
        return min(replaced, distance(i - 1, j) + 1, distance(i, j - 1) + 1)

    return distance(len(a), len(b))


@given(WORDS, WORDS)
def test_edit_distance_is_its_recursion(a, b):
    assert edit_distance(a, b) == recursive(a, b)


def test_hamming_is_the_share_of_other_tokens():
    a, b = np.random.default_rng(0).integers(0, 3, (2, 5, 8))
    expected = [sum(x != y for x, y in zip(left, right)) / 8 for left, right in zip(a.tolist(), b.tolist())]
    np.testing.assert_allclose(hamming(a, b), expected)


def test_rows_of_other_lengths_are_refused():
    with pytest.raises(InputError, match="edit_distance"):
        hamming(np.zeros(3), np.zeros(4))
