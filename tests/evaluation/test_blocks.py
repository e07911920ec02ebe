"""A function in blocks: the same result as at once, whatever the block."""

import jax
import numpy as np
import pytest

from jaxvae.evaluation import in_blocks

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
