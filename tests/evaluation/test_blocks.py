"""A function in blocks: the same result as at once, whatever the block."""

import jax
import numpy as np
import pytest

from jaxvae.data.spaces import Pixels, Tokens
from jaxvae.evaluation import in_blocks
from jaxvae.evaluation.blocks import at_once

X = np.arange(21, dtype=np.float32).reshape(7, 3)


@pytest.mark.parametrize("block_size", [1, 3, 7, 100])
def test_block_size_does_not_matter(block_size):
    np.testing.assert_allclose(in_blocks(lambda x: x**2, X, block_size=block_size), X**2)


def test_keys_can_be_treated_too():
    draw = jax.vmap(jax.random.uniform)
    whole = draw(jax.random.split(jax.random.key(0), 5))
    np.testing.assert_array_equal(in_blocks(draw, jax.random.split(jax.random.key(0), 5), block_size=2), whole)


def test_no_more_than_a_block_is_seen_at_once():
    seen = []
    in_blocks(lambda x: seen.append(x.shape) or x, X, block_size=2)
    assert seen == [(2, 3)], "one shape, compiled once"


def test_several_arguments_trees_and_none_go_block_by_block_together():
    tree = {"x": X, "y": X[:, 0]}
    result = in_blocks(lambda tree, by, none: (tree["x"] + tree["y"][:, None]) * by, tree, X, None, block_size=3)
    np.testing.assert_allclose(result, (X + X[:, :1]) * X)


def test_long_sentences_of_many_words_come_few_at_once():
    assert at_once(None, 1000) == at_once(Pixels((28, 28, 1), "ink"), 1000) == at_once(Tokens(30, 20), 1000) == 1000
    assert 4 * at_once(Tokens(10_000, 83), 1000) * 83 * 10_000 <= 2**27
    assert at_once(Tokens(10**6, 500), 1000) == 1
