"""Spaces: values survive reading, what is no example is refused by one line, and a run's facts give the space back."""

import json
import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae import rng
from jaxvae.data import spaces
from jaxvae.data.spaces import Categories, Counts, Pixels, Real, Table, Tokens
from jaxvae.data.spaces.shown import Cells, Curves, Heat, Lines, Pictures
from jaxvae.errors import InputError
from jaxvae.objectives.denoising import masking, noise

TABLE = Table((0, 3, 0), "ab")
VALUES = np.array([[1.5, 2, 0], [0, 0, -4.0]], np.float32)
OBSERVED = np.array([[True, True, False], [False, True, True]])
ROWS = {
    Pixels((2, 2, 1), "ink"): np.array([[0, 51], [255, 102]], np.uint8)[None, ..., None],
    Real((3,)): np.array([[-1.5, 0, 2e3]], np.float32),
    Counts((4,)): np.array([[0, 7, 2**24 + 1, 0]], np.int64),
    Tokens(6, 5): np.array([[3, 5, 2, 1, 0], [1, 0, 0, 0, 0]], np.int16),
    TABLE: {"x": VALUES, "observed": OBSERVED},
    Categories(3): np.array([2, -1], np.int32),
}


@pytest.mark.parametrize("space", ROWS, ids=lambda space: space.kind)
def test_rows_are_read_to_examples_of_the_shape_of_zeros(space):
    stored = ROWS[space]
    space.check(stored, "x")
    read, zeros = jax.jit(space.read)(None, stored), space.zeros(jax.tree.leaves(stored)[0].shape[0])
    assert jax.tree.map(lambda a: (a.shape, a.dtype), read) == jax.tree.map(lambda a: (a.shape, a.dtype), zeros)
    assert jax.tree.leaves(zeros)[-1].shape[1:] == space.shape
    assert spaces.of_facts(json.loads(json.dumps({"space": spaces.to_json(space)}))) == space
    assert hash(space) == hash(spaces.from_json(spaces.to_json(space)))


def test_integers_stay_integers_and_bytes_become_parts_of_one():
    assert Counts((4,)).read(None, jnp.asarray(ROWS[Counts((4,))]))[0, 2] == 2**24 + 1
    assert Tokens(6, 5).read(None, ROWS[Tokens(6, 5)]).dtype == np.int32
    np.testing.assert_allclose(Pixels((1,)).read(None, np.uint8([[51]])), 0.2)
    np.testing.assert_array_equal(Categories(3).read(None, np.array([2, -1])), [[0, 0, 1], [0, 0, 0]])


def test_pixels_are_binarized_with_keys_and_only_where_the_space_says_so():
    grey, keys = np.full((50, 40), 51, np.uint8), rng.example_keys(rng.root(0), np.arange(50))
    drawn = np.asarray(Pixels((40,), "ink", binarize=True).read(keys, grey))
    assert set(np.unique(drawn)) == {0, 1}
    assert abs(drawn.mean() - 0.2) < 6 * np.sqrt(0.16 / drawn.size)
    for space, key in ((Pixels((40,), "ink", binarize=True), None), (Pixels((40,), "ink"), keys)):
        np.testing.assert_allclose(space.read(key, grey), 0.2)


@pytest.mark.parametrize(
    ("space", "rows", "told"),
    [
        (Pixels((2,)), np.array([[0.0, 1.5]]), r"outside \[0, 1\]"),
        (Real((2,)), np.array([[0.0, np.nan]]), "NaN"),
        (Counts((2,)), np.array([[0, -3]]), "holds -3; a count is not below 0"),
        (Counts((2,)), np.array([[0, 2.5]]), "holds 2.5; give raw counts"),
        (Counts((2,)), np.array([[0, np.inf]]), "infinity"),
        (Counts((2,)), np.array([[0, 2**31]]), "below 2147483648"),
        (Tokens(6, 3), np.array([[3, 6, 1]]), "tokens from 1 to 6; a vocabulary of 6 has 0 to 5"),
        (Tokens(6, 3), np.array([[3, 1, 0], [3, 4, 5]]), "0 end marks in row 1"),
        (Tokens(6, 3), np.array([[1, 3, 1]]), "2 end marks in row 0"),
        (Tokens(6, 3), np.array([[0, 3, 1]]), "before the end mark"),
        (Tokens(6, 3), np.array([[3, 1, 4]]), "other tokens behind it"),
        (TABLE, {"x": VALUES + np.nan, "observed": OBSERVED}, "NaN"),
        (TABLE, {"x": VALUES, "observed": ~OBSERVED}, "not observed"),
        (TABLE, {"x": VALUES * [1, 2, 1], "observed": OBSERVED}, "no category"),
        (Categories(3), np.array([3]), "number them 0 to 2"),
    ],
)
def test_rows_of_another_space_are_refused(space, rows, told):
    with pytest.raises(InputError, match=f"^mine.npz: .*{told}"):
        space.check(rows, "mine.npz: array 'x'")


def test_projection_keeps_values_in_range_and_has_a_gradient_inside():
    np.testing.assert_array_equal(Pixels((3,)).project(jnp.array([-1, 0.5, 2])), [0, 0.5, 1])
    np.testing.assert_array_equal(Counts((2,)).project(jnp.array([-1, 2.5])), [0, 2.5])
    np.testing.assert_array_equal(Real((2,)).project(jnp.array([-1, 2.5])), [-1, 2.5])
    assert jax.grad(lambda x: Counts((1,)).project(x).sum())(jnp.array([2.5])) == 1
    for space in (TABLE, Tokens(6, 5)):
        with pytest.raises(InputError, match="no values in between"):
            space.project(None)


def test_corruption_touches_neither_masks_nor_ends():
    keys = iter(rng.sample_keys(rng.root(0), 4))
    words = jnp.array([3, 4, 5, 1, 0, 0])
    assert Tokens(6, 6).corrupt(next(keys), words, masking, 1.0).tolist() == [2, 2, 2, 1, 0, 0]
    assert Tokens(6, 6).corrupt(next(keys), words, masking, 0.0).tolist() == words.tolist()
    row = {"x": jnp.asarray(VALUES[0]), "observed": jnp.asarray(OBSERVED[0])}
    noisy = TABLE.corrupt(next(keys), row, noise, 1.0)
    assert noisy["observed"] is row["observed"]
    assert (np.asarray(noisy["x"]) == VALUES[0]).tolist() == [False, True, True]
    assert Counts((3,)).corrupt(next(keys), jnp.array([5, 6, 7]), masking, 1.0).tolist() == [0, 0, 0]


def test_examples_are_shown_with_the_names_in_the_facts():
    words = {"words": ["<pad>", "<end>", "<unk>", "a", "dog", "barks"]}
    assert Tokens(6, 5).show(ROWS[Tokens(6, 5)], words) == Lines(("a barks <unk>", ""))
    facts = types.MappingProxyType({"columns": ["age", "sex", "pay"], "categories": {"sex": ["f", "m", "x"]}})
    shown = TABLE.show(ROWS[TABLE], facts)
    assert shown == Cells(("age", "sex", "pay"), (("1.5", "x", ""), ("", "f", "-4")))
    assert isinstance(Pixels((4,)).show(np.zeros((2, 4)), {}), Pictures)
    assert isinstance(Real((4,)).show(np.zeros((2, 4)), {}), Curves)
    assert isinstance(Real((4, 4, 1)).show(np.zeros((2, 4, 4, 1)), {}), Pictures)
    assert isinstance(Counts((4,)).show(np.zeros((2, 4)), {}), Heat)
    assert Categories(2).show(np.array([[0, 1], [0, 0]]), {"classes": ("cat", "dog")}) == Lines(("dog", "-1"))
