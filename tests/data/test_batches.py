"""Batches: every example once an epoch, an order that needs no state, and binarization that is each example's own."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae import rng
from jaxvae.data.batches import epoch_batches, make_batch, sequential_batches, training_batches

GREY = np.arange(7 * 6, dtype=np.uint8).reshape(7, 3, 2, 1) * 6


@pytest.mark.parametrize(("num_examples", "batch_size"), [(10, 4), (8, 4), (5, 5), (3, 2)])
def test_every_example_counts_once_an_epoch(num_examples, batch_size):
    ids, weights = epoch_batches(rng.root(0), 2, num_examples, batch_size)
    assert ids.shape == weights.shape == (-(-num_examples // batch_size), batch_size)
    assert sorted(ids[weights > 0]) == list(range(num_examples))
    assert weights.sum() == num_examples


def test_order_is_a_function_of_key_and_epoch():
    first = epoch_batches(rng.root(0), 0, 50, 10)[0]
    np.testing.assert_array_equal(first, epoch_batches(rng.root(0), 0, 50, 10)[0])
    assert (first != epoch_batches(rng.root(0), 1, 50, 10)[0]).any()
    assert (first != epoch_batches(rng.root(1), 0, 50, 10)[0]).any()


@pytest.mark.parametrize("first_step", [0, 1, 2, 3, 7])
def test_batches_from_any_step_are_those_of_the_uninterrupted_run(first_step):
    whole = list(itertools.islice(training_batches(rng.root(0), 7, 3), first_step + 4))
    resumed = list(itertools.islice(training_batches(rng.root(0), 7, 3, first_step), 4))
    for (ids, weights), (resumed_ids, resumed_weights) in zip(whole[first_step:], resumed):
        np.testing.assert_array_equal(ids, resumed_ids)
        np.testing.assert_array_equal(weights, resumed_weights)


@pytest.mark.parametrize("image", [GREY, GREY.astype(np.float32) / 255], ids=["uint8", "float32"])
def test_pixels_are_scaled_to_one(image):
    batch = make_batch(jnp.asarray(image), rng.root(0), np.array([4, 1]), np.ones(2, np.float32))
    np.testing.assert_allclose(batch.x, GREY[[4, 1]] / 255, rtol=1e-6)
    assert batch.x.dtype == jnp.float32


@pytest.mark.parametrize("image", [GREY, GREY.astype(np.float32) / 255], ids=["uint8", "float32"])
def test_binarization_has_the_grey_value_as_its_probability(image):
    draws = 20_000
    images = jnp.broadcast_to(jnp.asarray(image[5]), (draws, *image.shape[1:]))
    x = make_batch(images, rng.root(1), np.arange(draws), np.ones(draws, np.float32), binarize=True).x
    assert set(np.unique(x)) == {0.0, 1.0}
    probability = GREY[5] / 255
    error = 6 * np.sqrt(probability * (1 - probability) / draws)
    assert (np.abs(x.mean(0) - probability) <= error + 1e-9).all()


@pytest.mark.parametrize("image", [np.uint8([[0, 255]]), np.float32([[0, 1]])])
def test_binarization_leaves_black_and_white_as_they_are(image):
    images = jnp.broadcast_to(jnp.asarray(image), (70_000, 2))
    x = make_batch(images, rng.root(0), np.arange(70_000), np.ones(70_000, np.float32), binarize=True).x
    assert (x[:, 0] == 0).all()
    assert (x[:, 1] == 1).all()


def test_binarization_belongs_to_the_example_not_to_its_place():
    ids = np.array([6, 2, 4])
    key, images = rng.root(3), jnp.asarray(GREY)
    whole = make_batch(images, key, np.arange(7), np.ones(7, np.float32), binarize=True).x
    np.testing.assert_array_equal(make_batch(images, key, ids, np.ones(3), binarize=True).x, whole[ids])


def test_sequential_batches_cover_a_split_once():
    batches = list(sequential_batches(jnp.asarray(GREY), rng.root(0), batch_size=3))
    ids, weights = (np.concatenate([getattr(batch, name) for batch in batches]) for name in ("ids", "weights"))
    np.testing.assert_array_equal(ids[weights > 0], np.arange(7))


def test_making_batches_compiles_once():
    images = jnp.zeros((7, 5), jnp.uint8)
    with jax.log_compiles(False):
        before = make_batch._cache_size()
        for _ in sequential_batches(images, rng.root(0), batch_size=2):
            pass
        assert make_batch._cache_size() == before + 1
