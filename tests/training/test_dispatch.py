"""Five ways to the devices, one result: bit for bit on one device, to rounding on several, with uneven batches."""

import functools
import re

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxvae import elbo_loss, presets, rng
from jaxvae.data.batches import BatchOrder, make_batch
from jaxvae.data.feed import chunk_counts, resident_chunks, streamed_chunks
from jaxvae.data.spaces import Pixels
from jaxvae.training import init_state, make_dispatch, make_train_step

IMAGES = np.random.default_rng(0).integers(0, 256, (70, 3, 3, 1), np.uint8)
BINARIZED = Pixels((3, 3, 1), "ink", binarize=True)
MODEL = presets.build("vae", (3, 3, 1), latent_dim=2, hidden=(8,))
# SGD, because Adam hides a gradient that is too large by a constant factor.
OPTIMIZER = optax.sgd(0.05)


def make_step(axis_name, accumulate=1):
    loss = functools.partial(elbo_loss, model=MODEL)
    train_step = make_train_step(loss, OPTIMIZER, axis_name=axis_name, accumulate=accumulate)

    def gather_step(state, images, ids, weights, x):
        x = images[ids] if x is None else x
        key = rng.stream(state.key, "binarize", state.step)
        return train_step(state, make_batch(x, key, ids, weights, space=BINARIZED))

    return gather_step


@functools.cache
def first_params(seed):
    """On the host, because a dispatch takes over what it is given."""
    return jax.device_get(jax.jit(MODEL.init)(rng.root(seed), jnp.zeros((1, 3, 3, 1))))


def first_state(seed=0):
    return init_state(rng.root(seed), jax.tree.map(jnp.array, first_params(seed)), OPTIMIZER)


def run(name, *, num_steps=100, stream=False, steps=16, batch_size=15, order_key=None, state=None, first_step=0,
        seeds=None, accumulate=1):  # fmt: skip
    """Train with one dispatch; batches of 15 in 70, so neither devices nor epochs divide evenly."""
    order = BatchOrder(rng.root(0) if order_key is None else order_key, len(IMAGES), batch_size, 2 * accumulate)
    maker = functools.partial(make_step, accumulate=accumulate)
    dispatch = make_dispatch(
        name, maker, None if stream else IMAGES, width=order.width, devices=jax.devices(), seeds=seeds, steps=steps
    )
    counts = chunk_counts(first_step, num_steps, boundaries=(order.steps_per_block, 33), limit=dispatch.steps)
    if stream:
        chunks = streamed_chunks(order, IMAGES, dispatch.place_chunk, first_step, counts)
    else:
        chunks = resident_chunks(order, dispatch.place_chunk, first_step, counts)
    state, losses, examples = dispatch.place_state(first_state() if state is None else state), [], 0
    for chunk in chunks:
        state, metrics = jax.block_until_ready(dispatch.run(state, chunk))
        losses.append((np.asarray(metrics["loss"]), np.asarray(metrics["examples"])))
        examples = examples + np.asarray(metrics["examples"])
    return jax.device_get(state._replace(key=jax.random.key_data(state.key))), losses, examples


def assert_trees_close(a, b, rtol):
    jax.tree.map(lambda p, q: np.testing.assert_allclose(p, q, rtol=rtol, atol=rtol * np.abs(q).max()), a, b)


@pytest.fixture(scope="module")
def one_by_one():
    return run("step")


@pytest.mark.quick_rows("scan-True")
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", ["step", "scan"])
def test_steps_in_a_loop_are_steps_one_by_one_bit_for_bit(one_by_one, name, stream):
    state, _, examples = run(name, stream=stream)
    jax.tree.map(np.testing.assert_array_equal, state, one_by_one[0])
    assert examples == one_by_one[2] == 20 * 70


@pytest.mark.quick_rows("pmap-False", "sharded-True")
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", ["pmap", "sharded"])
def test_devices_together_give_the_numbers_of_one(one_by_one, name, stream):
    assert jax.device_count() == 2
    state, losses, examples = run(name, stream=stream)
    assert_trees_close(state.params, one_by_one[0].params, 1e-6)
    assert state.step == 100
    assert examples == 20 * 70
    np.testing.assert_allclose(*sums_where_both_end(losses, one_by_one[1]), rtol=1e-5)


def sums_where_both_end(chunked, single):
    """The loss summed over all examples up to the end of each chunk: as the chunks say, as single steps say."""
    (examples, sums), (single_examples, single_sums) = (
        np.cumsum([(weight, loss * weight) for loss, weight in losses], axis=0, dtype=np.float64).T
        for losses in (chunked, single)
    )
    ends = np.searchsorted(single_examples, examples)
    np.testing.assert_array_equal(single_examples[ends], examples)
    assert 5 < len(ends) < 100
    return np.diff(sums, prepend=0), np.diff(single_sums[ends], prepend=0)


def test_metrics_of_a_chunk_are_averages_over_its_examples(one_by_one):
    losses, weights = zip(*one_by_one[1])
    _, chunked, _ = run("scan", num_steps=16)
    np.testing.assert_allclose(chunked[0][0], np.average(losses[:16], weights=weights[:16]), rtol=1e-6)


@pytest.mark.parametrize("name", ["scan", "sharded"])
def test_parts_of_a_batch_one_after_another_are_the_whole_batch(one_by_one, name):
    state, _, _ = run(name, accumulate=4)
    assert_trees_close(state.params, one_by_one[0].params, 1e-6)


@pytest.mark.parametrize("stream", [False, True])
def test_a_run_goes_on_from_any_step(one_by_one, stream):
    half, _, _ = run("scan", num_steps=41, stream=stream)
    half = half._replace(key=jax.random.wrap_key_data(half.key))
    state, _, _ = run("scan", state=half, first_step=41, stream=stream)
    jax.tree.map(np.testing.assert_array_equal, state, one_by_one[0])


def test_each_of_several_seeds_is_the_run_with_that_seed_alone(one_by_one):
    states = jax.tree.map(lambda *leaves: jnp.stack(leaves), first_state(0), first_state(7))
    keys = jnp.stack([rng.root(0), rng.root(7)])
    together, _, examples = run("scan", num_steps=200, state=states, order_key=keys, seeds=2)
    assert examples.tolist() == [40 * 70] * 2
    for number, seed in enumerate((0, 7)):
        alone, _, _ = run("scan", num_steps=200, state=first_state(seed), order_key=rng.root(seed))
        assert_trees_close(jax.tree.map(lambda leaf, n=number: leaf[n], together).params, alone.params, 1e-5)


def test_chunks_of_any_length_share_one_program():
    traced = []

    def counting(axis_name):
        step = make_step(axis_name)
        return lambda *arguments: traced.append("step") or step(*arguments)

    dispatch = make_dispatch("scan", counting, IMAGES, width=15, devices=jax.devices()[:1])
    state, so_far = dispatch.place_state(first_state()), []
    for chunk in resident_chunks(BatchOrder(rng.root(0), 70, 15), dispatch.place_chunk, 0, [1, 5, 3, 2]):
        state, _ = dispatch.run(state, chunk)
        so_far.append(len(traced))
    assert so_far[0] == so_far[-1]


@pytest.mark.quick_rows("step-True", "scan-False", "pmap-True", "sharded-False")
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", ["step", "scan", "pmap", "sharded"])
def test_what_is_compiled_ahead_is_what_runs(name, stream, caplog):
    order = BatchOrder(rng.root(0), len(IMAGES), 15, 2)
    dispatch = make_dispatch(name, make_step, None if stream else IMAGES, width=order.width, devices=jax.devices())
    counts = chunk_counts(0, 9, boundaries=(order.steps_per_block,), limit=min(dispatch.steps, 4))
    arguments = (order, IMAGES) if stream else (order,)
    chunks = (streamed_chunks if stream else resident_chunks)(*arguments, dispatch.place_chunk, 0, counts)
    state = dispatch.place_state(first_state())
    with jax.log_compiles():
        for number, chunk in enumerate(chunks):
            if number == 0:
                dispatch.compile(state, chunk)
                program = re.findall(r"Compiling (\S+)", caplog.text)[-1]
            caplog.clear()
            state, _ = dispatch.run(state, chunk)
            assert program not in re.findall(r"Compiling (\S+)", caplog.text)
    assert state.step == 9
