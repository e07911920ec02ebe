"""Batches: every example once an epoch, an order that needs no state, and binarization that is each example's own."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae import rng
from jaxvae.data.batches import STEPS_PER_BLOCK, BatchOrder, make_batch, sequential_batches
from jaxvae.data.spaces import Pixels

BINARIZED = Pixels((), "ink", binarize=True)
GREY = np.arange(7 * 6, dtype=np.uint8).reshape(7, 3, 2, 1) * 6


def steps(order, first, number):
    """`(ids, weights)` of so many steps."""
    for step in range(first, first + number):
        block, row = divmod(step, order.steps_per_block)
        ids, weights = order.block(block)
        yield np.asarray(ids[row]), np.asarray(weights[row])


@pytest.mark.parametrize(("num_examples", "batch_size"), [(10, 4), (8, 4), (5, 5), (3, 2)])
@pytest.mark.parametrize("multiple_of", [1, 3])
def test_every_example_counts_once_an_epoch(num_examples, batch_size, multiple_of):
    order = BatchOrder(rng.root(0), num_examples, batch_size, multiple_of)
    assert order.steps_per_epoch == -(-num_examples // batch_size)
    for epoch in (0, 2):
        ids, weights = map(np.stack, zip(*steps(order, epoch * order.steps_per_epoch, order.steps_per_epoch)))
        assert ids.shape == weights.shape == (order.steps_per_epoch, order.width)
        assert order.width % multiple_of == 0
        assert sorted(ids[weights > 0]) == list(range(num_examples))
        assert weights.sum() == num_examples


def test_width_changes_nothing_but_padding():
    narrow, wide = (np.stack([ids for ids, _ in steps(BatchOrder(rng.root(0), 10, 4, n), 0, 6)]) for n in (1, 3))
    np.testing.assert_array_equal(wide[:, :4], narrow)


def test_order_is_a_function_of_key_and_epoch():
    order = BatchOrder(rng.root(0), 50, 10)
    first = order.block(0)[0]
    np.testing.assert_array_equal(first, BatchOrder(rng.root(0), 50, 10).block(0)[0])
    assert (first[:5] != first[5:10]).any()
    assert (first != order.block(1)[0]).any()
    assert (first != BatchOrder(rng.root(1), 50, 10).block(0)[0]).any()


def test_a_block_of_a_large_set_is_one_epoch():
    order = BatchOrder(rng.root(0), 100 * STEPS_PER_BLOCK, 10)
    assert order.steps_per_block == order.steps_per_epoch
    small = BatchOrder(rng.root(0), 30, 10)
    assert small.steps_per_block % 3 == 0
    assert STEPS_PER_BLOCK <= small.steps_per_block < STEPS_PER_BLOCK + 3


def test_each_seed_has_the_order_it_has_alone():
    keys = jnp.stack([rng.root(4), rng.root(5)])
    ids, weights = BatchOrder(keys, 10, 4, 3).block(1)
    for number, seed in enumerate((4, 5)):
        alone, alone_weights = BatchOrder(rng.root(seed), 10, 4, 3).block(1)
        np.testing.assert_array_equal(ids[number], alone)
        np.testing.assert_array_equal(weights[number], alone_weights)


@pytest.mark.parametrize("image", [GREY, GREY.astype(np.float32) / 255], ids=["uint8", "float32"])
def test_pixels_are_scaled_to_one(image):
    batch = make_batch(image[[4, 1]], rng.root(0), np.array([4, 1]), np.ones(2, np.float32))
    np.testing.assert_allclose(batch.x, GREY[[4, 1]] / 255, rtol=1e-6)
    assert batch.x.dtype == jnp.float32


@pytest.mark.parametrize("image", [GREY, GREY.astype(np.float32) / 255], ids=["uint8", "float32"])
def test_binarization_has_the_grey_value_as_its_probability(image):
    draws = 20_000
    images = jnp.broadcast_to(jnp.asarray(image[5]), (draws, *image.shape[1:]))
    x = make_batch(images, rng.root(1), np.arange(draws), np.ones(draws, np.float32), space=BINARIZED).x
    assert set(np.unique(x)) == {0.0, 1.0}
    probability = GREY[5] / 255
    error = 6 * np.sqrt(probability * (1 - probability) / draws)
    assert (np.abs(x.mean(0) - probability) <= error + 1e-9).all()


@pytest.mark.parametrize("image", [np.uint8([[0, 255]]), np.float32([[0, 1]])])
def test_binarization_leaves_black_and_white_as_they_are(image):
    images = jnp.broadcast_to(jnp.asarray(image), (70_000, 2))
    x = make_batch(images, rng.root(0), np.arange(70_000), np.ones(70_000, np.float32), space=BINARIZED).x
    assert (x[:, 0] == 0).all()
    assert (x[:, 1] == 1).all()


def test_binarization_belongs_to_the_example_not_to_its_place():
    ids = np.array([6, 2, 4])
    key, images = rng.root(3), jnp.asarray(GREY)
    whole = make_batch(images, key, np.arange(7), np.ones(7, np.float32), space=BINARIZED).x
    np.testing.assert_array_equal(make_batch(images[ids], key, ids, np.ones(3), space=BINARIZED).x, whole[ids])


def test_sequential_batches_cover_a_split_once():
    batches = list(sequential_batches(GREY, rng.root(0), batch_size=3))
    ids, weights = (np.concatenate([getattr(batch, name) for batch in batches]) for name in ("ids", "weights"))
    np.testing.assert_array_equal(ids[weights > 0], np.arange(7))


def test_one_program_makes_all_batches():
    batches = [*sequential_batches(np.zeros((7, 5), np.uint8), rng.root(0), batch_size=2)]
    assert len(batches) == 4
    assert len({str(jax.tree.map(jax.typeof, batch)) for batch in batches}) == 1
