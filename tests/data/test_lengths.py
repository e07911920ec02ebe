"""Batches of rows of like length: the bounds with the least padding, and an order in which all examples count once."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae import rng
from jaxvae.data.lengths import LengthOrder, fit_bounds, row_lengths

LENGTHS = np.array([3, 9, 4, 9, 1, 7, 3, 3, 5, 9, 2, 7, 4])


@pytest.mark.parametrize("num", [1, 2, 3, 4, 7, 20])
def test_no_other_bounds_need_less_padding(num):
    values = np.unique(LENGTHS)

    def padded(bounds):
        return np.array(bounds)[np.searchsorted(bounds, LENGTHS)].sum()

    bounds = fit_bounds(LENGTHS, num)
    others = itertools.combinations(values[:-1].tolist(), min(num, len(values)) - 1)
    assert padded(bounds) == min(padded((*some, 9)) for some in others)
    assert list(bounds) == sorted(set(bounds))
    assert bounds[-1] == 9


def test_a_length_counts_the_end_mark_and_no_padding():
    np.testing.assert_array_equal(row_lengths(np.array([[5, 6, 1, 0], [1, 0, 0, 0], [5, 6, 7, 1]]), 0), [3, 1, 4])


def batches(order, first, number):
    """`(ids, weights)` of so many steps."""
    for step in range(first, first + number):
        block, row = divmod(step, order.steps_per_block)
        yield tuple(np.asarray(array[row]) for array in order.block(block))


@pytest.mark.parametrize("batch_size", [4, 5, 13])
@pytest.mark.parametrize("multiple_of", [1, 3])
def test_every_example_counts_once_an_epoch(batch_size, multiple_of):
    bucket = np.searchsorted([3, 5, 9], LENGTHS)
    order = LengthOrder(rng.root(0), bucket, batch_size, multiple_of)
    num = order.steps_per_epoch
    assert num == -(-13 // batch_size)
    for epoch in (0, 2):
        ids, weights = map(np.stack, zip(*batches(order, epoch * num, num)))
        assert ids.shape == weights.shape == (num, order.width)
        assert sorted(ids[weights > 0]) == [*range(13)]
        assert set(weights.ravel()) <= {0.0, 1.0}
        assert sorted(weights.sum(1))[1:] == [batch_size] * (num - 1), "one batch alone is short"


def test_all_but_a_few_batches_are_of_one_bucket():
    bucket = np.random.default_rng(0).integers(0, 3, 100)
    order = LengthOrder(rng.root(0), bucket, 7)
    for epoch in range(3):
        buckets = [{*bucket[ids[weights > 0]]} for ids, weights in batches(order, epoch * 15, 15)]
        assert sum(len(found) > 1 for found in buckets) <= 2
        firsts = [min(found) for found in buckets]
        assert firsts != sorted(firsts), "lengths come in random order"


def test_the_short_batch_has_rows_of_any_length():
    bucket = np.repeat([0, 1, 2], 10)
    order, seen = LengthOrder(rng.root(0), bucket, 7), set()
    for ids, weights in batches(order, 0, 40 * order.steps_per_epoch):
        seen |= {*bucket[ids[weights > 0]]} if weights.sum() < 7 else set()
    assert seen == {0, 1, 2}


def test_order_is_a_function_of_key_and_epoch():
    bucket = np.arange(50) % 4
    order = LengthOrder(rng.root(0), bucket, 10)
    first = order.block(0)[0]
    np.testing.assert_array_equal(first, LengthOrder(rng.root(0), bucket, 10).block(0)[0])
    assert (first[:5] != first[5:10]).any()
    assert (first != order.block(1)[0]).any()
    assert (first != LengthOrder(rng.root(1), bucket, 10).block(0)[0]).any()


def test_seeds_have_their_own_rows_and_like_lengths():
    bucket, keys = np.repeat([0, 1, 2], 10), jnp.stack([rng.root(4), rng.root(5)])
    ids, weights = LengthOrder(keys, bucket, 5, 2).block(1)
    for number, seed in enumerate((4, 5)):
        alone, alone_weights = LengthOrder(rng.root(seed), bucket, 5, 2).block(1)
        np.testing.assert_array_equal(ids[number], alone)
        np.testing.assert_array_equal(weights[number], alone_weights)
    assert (ids[0] != ids[1]).any()
    np.testing.assert_array_equal(*jax.device_get(jnp.where(weights > 0, jnp.asarray(bucket)[ids], 0)))
