"""Batches of labelled and unlabelled examples: numbers of each, turns, and the weights of the whole set."""

import jax
import numpy as np
import pytest

from jaxvae.data import load
from jaxvae.data.labels import with_few_labels
from jaxvae.data.mixed_batches import MixedOrder
from jaxvae.errors import InputError

LABELLED, UNLABELLED = np.array([3, 10, 11, 40]), np.setdiff1d(np.arange(50), [3, 10, 11, 40])


def order(key=None, **options):
    sizes = {"batch_size": 9, "labelled_per_batch": 3, **options}
    return MixedOrder(jax.random.key(0) if key is None else key, LABELLED, UNLABELLED, **sizes)


def test_each_batch_has_the_same_numbers_of_both():
    ids, weights = map(np.asarray, order().block(0))
    assert ids.shape == (order().steps_per_block, 9)
    assert np.isin(ids[:, :3], LABELLED).all()
    assert np.isin(ids[:, 3:][weights[:, 3:] > 0], UNLABELLED).all()


def test_every_example_comes_in_its_turn_over_blocks_too():
    blocks = [[np.asarray(array) for array in order().block(index)] for index in range(2)]
    ids, weights = (np.concatenate(arrays) for arrays in zip(*blocks))
    labelled = ids[:, :3].ravel()
    for turn in labelled[: len(labelled) // 4 * 4].reshape(-1, 4):
        assert sorted(turn) == LABELLED.tolist()
    epoch = order().steps_per_epoch
    assert sorted(ids[:epoch, 3:][weights[:epoch, 3:] > 0]) == UNLABELLED.tolist()
    assert len({tuple(turn) for turn in labelled[:400].reshape(-1, 4)}) > 5, "turns have different orders"


def test_the_weighted_mean_is_that_of_the_whole_set():
    ids, weights = map(np.asarray, order(batch_size=5, labelled_per_batch=3).block(0))  # 46 unlabelled, two a batch
    values = np.random.default_rng(0).normal(size=50)
    assert (weights * values[ids]).sum() / weights.sum() == pytest.approx(values.mean(), rel=0.02)


def test_padding_and_seeds():
    wide = order(multiple_of=4)
    ids, weights = map(np.asarray, wide.block(0))
    assert ids.shape[-1] == wide.width == 12
    assert (weights[:, 9:] == 0).all()
    keys = jax.random.split(jax.random.key(1), 2)
    several = [np.asarray(array) for array in order(keys).block(1)]
    for number in range(2):
        for array, alone in zip(several, order(keys[number]).block(1)):
            np.testing.assert_array_equal(array[number], alone)


def test_few_labels_are_as_many_of_each_class():
    split = load("digits").train
    few = with_few_labels(split, 30, 0)
    numbers, counts = np.unique(few.label, return_counts=True)
    assert dict(zip(numbers, counts)) == {-1: split.num_examples - 30, **dict.fromkeys(range(10), 3)}
    kept = few.label >= 0
    np.testing.assert_array_equal(few.label[kept], split.label[kept])
    assert (with_few_labels(split, 30, 1).label != few.label).any()
    np.testing.assert_array_equal(with_few_labels(split, 30, 0).label, few.label)
    assert few.num_labelled == 30


@pytest.mark.parametrize(("num", "says"), [(25, "as many for each of 10"), (5, "as many"), (5000, "fewer than 500")])
def test_labels_that_cannot_be_shared_out_are_refused(num, says):
    with pytest.raises(InputError, match=says):
        with_few_labels(load("digits").train, num, 0)
