"""One step: plain on one device, exact over shards of any size, and the same noise wherever an example sits."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxvae import elbo_loss, presets, rng
from jaxvae.training import init_state, make_train_step
from jaxvae.types import Batch

MODEL = presets.build("vae", (3, 3, 1), latent_dim=2, hidden=(8,))
LOSS = functools.partial(elbo_loss, model=MODEL)
# SGD, because Adam hides a gradient that is too large by a constant factor.
OPTIMIZER = optax.sgd(0.1)


@pytest.fixture(scope="module")
def params():
    return jax.jit(MODEL.init)(rng.root(0), jnp.zeros((1, 3, 3, 1)))


@pytest.fixture
def state(params):
    return init_state(rng.root(7), params, OPTIMIZER)


@pytest.fixture
def batch():
    """Six examples, of which one is padding: sharded in two, the halves are uneven."""
    x = jax.random.bernoulli(jax.random.key(3), 0.4, (6, 3, 3, 1)).astype(jnp.float32)
    return Batch(x, jnp.arange(10, 16), jnp.array([1.0, 1.0, 1.0, 1.0, 1.0, 0.0]))


@functools.cache
def train_step(optimizer=OPTIMIZER):
    return jax.jit(make_train_step(LOSS, optimizer))


def assert_trees_close(a, b, rtol):
    jax.tree.map(lambda p, q: np.testing.assert_allclose(p, q, rtol=rtol, atol=1e-7), a, b)


def test_step_is_gradient_descent_on_the_loss(state, batch):
    new, metrics = train_step()(state, batch)
    keys = rng.example_keys(rng.stream(state.key, "noise", 0), batch.ids)
    loss_and_gradient = jax.jit(jax.value_and_grad(LOSS, has_aux=True))
    (loss, terms), gradient = loss_and_gradient(state.params, keys, batch.x, weights=batch.weights)
    assert_trees_close(new.params, jax.tree.map(lambda p, g: p - 0.1 * g, state.params, gradient), 1e-5)
    np.testing.assert_allclose(metrics["loss"], loss, rtol=1e-6)
    np.testing.assert_allclose(metrics["kl"], terms.kl[:5].mean(), rtol=1e-5)
    np.testing.assert_allclose(metrics["kl_per_dimension"], terms.kl_per_dimension[:5].mean(0), rtol=1e-5)
    assert metrics["examples"] == 5
    assert new.step == 1


def test_padding_changes_nothing(state, batch):
    step = train_step()
    whole, _ = step(state, batch)
    unpadded, _ = step(state, Batch(batch.x[:5], batch.ids[:5], batch.weights[:5]))
    assert_trees_close(whole.params, unpadded.params, 1e-6)


def test_order_of_examples_changes_nothing(state, batch):
    step = train_step()
    order = jnp.array([3, 5, 0, 2, 4, 1])
    permuted = Batch(batch.x[order], batch.ids[order], batch.weights[order])
    assert_trees_close(step(state, batch)[0].params, step(state, permuted)[0].params, 1e-6)


def test_noise_differs_between_steps(state, batch):
    step = train_step(optax.sgd(0.0))
    later, first = step(state, batch)
    _, second = step(later, batch)
    assert first["loss"] != second["loss"]


def shard(batch):
    return jax.tree.map(lambda a: a.reshape(2, 3, *a.shape[1:]), batch)


def by_vmap(step):
    mapped = jax.jit(jax.vmap(step, in_axes=(None, 0), axis_name="device"))
    return lambda state, batch: jax.tree.map(lambda a: a[0], mapped(state, shard(batch)))


def by_pmap(step):
    mapped = jax.pmap(step, axis_name="device", in_axes=(None, 0), out_axes=None)
    return lambda state, batch: jax.block_until_ready(mapped(state, shard(batch)))


SPEC = jax.sharding.PartitionSpec


def two_devices():
    return jax.make_mesh((2,), ("device",), axis_types=(jax.sharding.AxisType.Auto,))


def by_shard_map(step, **options):
    mapped = jax.shard_map(step, mesh=two_devices(), in_specs=(SPEC(), SPEC("device")), out_specs=SPEC(), **options)
    return lambda state, batch: jax.block_until_ready(jax.jit(mapped)(state, batch))


def by_unchecked_shard_map(step):
    return by_shard_map(step, check_vma=False)


def by_sharding(step):
    split = jax.sharding.NamedSharding(two_devices(), SPEC("device"))
    return lambda state, batch: jax.block_until_ready(jax.jit(step)(state, jax.device_put(batch, split)))


WEIGHTS = {
    "uneven shards": [1.0, 1.0, 1.0, 1.0, 1.0, 0.0],
    "uneven weights": [0.2, 3.0, 0.0, 1.0, 0.5, 1.5],
    "a shard of padding": [1.0, 1.0, 1.0, 0.0, 0.0, 0.0],
}


@pytest.mark.quick_rows(
    "by_vmap-uneven weights", "by_pmap-uneven shards", "by_sharding-a shard of padding", "by_shard_map-uneven weights"
)
@pytest.mark.parametrize("weights", WEIGHTS.values(), ids=WEIGHTS)
@pytest.mark.parametrize("dispatch", [by_vmap, by_pmap, by_sharding, by_shard_map, by_unchecked_shard_map])
def test_shards_give_the_numbers_of_one_device(state, batch, dispatch, weights):
    """`shard_map`'s checks sum a gradient by themselves: twice summed, it would be twice as large."""
    batch = batch._replace(weights=jnp.array(weights))
    alone, metrics = train_step()(state, batch)
    axis_name = None if dispatch is by_sharding else "device"
    sharded, sharded_metrics = dispatch(make_train_step(LOSS, OPTIMIZER, axis_name=axis_name))(state, batch)
    assert_trees_close(alone.params, sharded.params, 1e-6)
    assert_trees_close(metrics, sharded_metrics, 1e-5)


def test_parts_of_shards_give_the_numbers_of_one_device(state, batch):
    batch = jax.tree.map(lambda a: jnp.concatenate([a, a]), batch)._replace(ids=jnp.arange(12))
    alone, _ = train_step()(state, batch)
    step = make_train_step(LOSS, OPTIMIZER, axis_name="device", accumulate=3)
    assert_trees_close(alone.params, by_shard_map(step)(state, batch)[0].params, 1e-6)


def test_a_shard_of_nothing_but_padding_adds_nothing(state, batch):
    weights = jnp.array(WEIGHTS["a shard of padding"])
    step = by_shard_map(make_train_step(LOSS, OPTIMIZER, axis_name="device"))
    sharded, metrics = step(state, batch._replace(weights=weights))
    alone, _ = train_step()(state, Batch(batch.x[:3], batch.ids[:3], weights[:3]))
    assert_trees_close(alone.params, sharded.params, 1e-6)
    assert metrics["examples"] == 3
