"""Keys depend on name, step and example, and on nothing else."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae import rng

ROOT = rng.root(0)


def bits(key):
    """The key as numbers that can be compared."""
    return np.asarray(jax.random.key_data(key))


def test_streams_differ_by_seed_name_and_step():
    streams = [rng.stream(rng.root(seed), name, step) for seed in (0, 1) for name in "ab" for step in (None, 0, 1)]
    assert len(np.unique(bits(jnp.stack(streams)), axis=0)) == len(streams)


def test_stream_is_reproducible():
    np.testing.assert_array_equal(bits(rng.stream(rng.root(3), "noise", 7)), bits(rng.stream(rng.root(3), "noise", 7)))


def test_stream_takes_a_traced_step():
    traced = jax.jit(lambda step: rng.stream(ROOT, "noise", step))(7)
    np.testing.assert_array_equal(bits(traced), bits(rng.stream(ROOT, "noise", 7)))


def test_example_keys_do_not_depend_on_batch_or_position():
    ids = jnp.arange(10)
    keys = bits(rng.example_keys(ROOT, ids))
    assert len(np.unique(keys, axis=0)) == 10
    np.testing.assert_array_equal(bits(rng.example_keys(ROOT, ids[::-1])), keys[::-1])
    np.testing.assert_array_equal(bits(rng.example_keys(ROOT, ids[6:8])), keys[6:8])


@pytest.mark.parametrize("batch", [(), (4,), (2, 3)])
def test_sample_keys_differ_and_keep_the_shape(batch):
    keys = jax.random.split(rng.root(1), batch)
    drawn = rng.sample_keys(keys, 5)
    assert drawn.shape == (5, *batch)
    assert len(np.unique(bits(drawn).reshape(drawn.size, -1), axis=0)) == drawn.size


@pytest.mark.parametrize("batch", [(), (4,)])
def test_draw_k_is_the_same_whatever_their_number(batch):
    keys = jax.random.split(rng.root(1), batch)
    np.testing.assert_array_equal(bits(rng.sample_keys(keys, 5))[:3], bits(rng.sample_keys(keys, 3)))


def test_sample_keys_of_a_batch_are_each_keys_own():
    keys = jax.random.split(rng.root(1), 4)
    np.testing.assert_array_equal(bits(rng.sample_keys(keys, 3))[:, 2], bits(rng.sample_keys(keys[2], 3)))
