"""Objectives that join the examples of a batch: one device and several take the same step, with any padding."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxvae import VAE, nets, priors, rng
from jaxvae.errors import InputError
from jaxvae.extras import Critic
from jaxvae.facts import Facts
from jaxvae.objectives import (
    adversarial_autoencoder_loss,
    batch_free_bits_loss,
    beta_tc_loss,
    factor_vae_loss,
    info_vae_loss,
)
from jaxvae.training import init_state, make_train_step
from jaxvae.types import Batch

CRITIC = Critic(hidden=(5,)).build(Facts(None, 2))
MODEL = VAE(
    nets.MLPEncoder((8,), 4), nets.MLPDecoder((8,), (5,)), priors.StandardNormal(2), extras=(("critic", CRITIC),)
)
FREE = np.array([1e-3, 5.0])
"""Free bits of which a batch of these tests has more in one dimension, and less in the other."""
LOSSES = {
    "beta_tc": functools.partial(beta_tc_loss, num_examples=20),
    "beta_tc mws": functools.partial(beta_tc_loss, num_examples=20, estimator="mws"),
    "batch_free_bits": functools.partial(batch_free_bits_loss, free_bits=FREE),
    "info": functools.partial(info_vae_loss, mmd_weight=50.0),
    "factor": functools.partial(factor_vae_loss, critic=CRITIC),
    "adversarial": functools.partial(adversarial_autoencoder_loss, critic=CRITIC),
}
COUPLED = [name for name in LOSSES if name != "adversarial"]
# SGD, because Adam hides a gradient that is too large by a constant factor.
OPTIMIZER = optax.sgd(0.1)
WEIGHTS = {
    "uneven shards": [1.0, 1.0, 1.0, 1.0, 1.0, 0.0],
    "uneven weights": [0.2, 3.0, 0.0, 1.0, 0.5, 1.5],
    "a shard of padding": [1.0, 1.0, 1.0, 0.0, 0.0, 0.0],
}
SPLIT = jax.sharding.PartitionSpec("device")


def make_step(name, **options):
    return make_train_step(functools.partial(LOSSES[name], model=MODEL), OPTIMIZER, **options)


@pytest.fixture(scope="module")
def state():
    params = jax.jit(MODEL.init)(rng.root(0), jnp.zeros((1, 5)))
    return init_state(rng.root(7), params, OPTIMIZER)


def batch(weights):
    x = jax.random.bernoulli(jax.random.key(3), 0.4, (6, 5)).astype(jnp.float32)
    weights = jnp.array(weights)
    return Batch(jnp.where(weights[:, None] == 0, jnp.nan, x), jnp.arange(10, 16), weights)


def shard(batch):
    return jax.tree.map(lambda a: a.reshape(2, 3, *a.shape[1:]), batch)


@functools.cache
def on_one(name):
    return jax.jit(make_step(name))


@functools.cache
def mapped(name):
    return jax.jit(jax.vmap(make_step(name, axis_name="device"), in_axes=(None, 0), axis_name="device"))


def by_vmap(name, state, batch):
    return jax.tree.map(lambda a: a[0], mapped(name)(state, shard(batch)))


def by_pmap(name, state, batch):
    step = jax.pmap(make_step(name, axis_name="device"), axis_name="device", in_axes=(None, 0), out_axes=None)
    return jax.block_until_ready(step(state, shard(batch)))


def by_sharding(name, state, batch):
    mesh = jax.make_mesh((2,), ("device",), axis_types=(jax.sharding.AxisType.Auto,))
    split = jax.sharding.NamedSharding(mesh, SPLIT)
    return jax.block_until_ready(on_one(name)(state, jax.device_put(batch, split)))


def assert_close(a, b):
    jax.tree.map(functools.partial(np.testing.assert_allclose, rtol=1e-5, atol=1e-6), a, b)


@pytest.mark.quick_rows("beta_tc-uneven shards", "adversarial-a shard of padding")
@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("name", LOSSES)
def test_devices_take_the_step_of_one(name, weights, state):
    """By `vmap` for all; the other ways run the same collectives, so one kind of weights is enough."""
    given = batch(WEIGHTS[weights])
    new, metrics = on_one(name)(state, given)
    assert all(jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(new.params))
    ways = [by_vmap, by_pmap, by_sharding] if weights == "uneven weights" else [by_vmap]
    for dispatch in ways:
        there, there_metrics = dispatch(name, state, given)
        assert_close(new.params, there.params)
        assert_close(metrics, there_metrics)


@pytest.mark.parametrize("name", LOSSES)
def test_padding_and_order_change_nothing(name, state):
    given = batch(WEIGHTS["uneven shards"])
    step = on_one(name)
    new, _ = step(state, given)
    unpadded, _ = step(state, jax.tree.map(lambda a: a[:5], given))
    assert_close(new.params, unpadded.params)
    if name != "factor":  # which dimensions meet in a permuted row depends on the order
        order = jnp.array([3, 5, 0, 2, 4, 1])
        assert_close(new.params, step(state, jax.tree.map(lambda a: a[order], given))[0].params)


@pytest.mark.parametrize("name", COUPLED)
def test_parts_of_a_batch_are_refused(name):
    with pytest.raises(InputError, match="accumulate: got 2, but this objective joins the examples"):
        make_step(name, accumulate=2)


def test_examples_of_their_own_may_be_taken_in_parts(state):
    given = batch(WEIGHTS["uneven weights"])
    whole, _ = on_one("adversarial")(state, given)
    assert_close(whole.params, jax.jit(make_step("adversarial", accumulate=2))(state, given)[0].params)
