"""Labels: every leaf moves by its own rule, whatever devices, padding and parts a batch has."""

import dataclasses
import functools
import operator
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxvae import rng
from jaxvae.checkpoint import Checkpoints, digest
from jaxvae.distributions import Normal
from jaxvae.errors import InputError
from jaxvae.objectives.averages import with_averages
from jaxvae.objectives.weights import weighted_mean
from jaxvae.training import Partition, guarded, init_state, labelled, make_dispatch, make_train_step
from jaxvae.training.optimizer import adam, evaluation_params, with_average
from jaxvae.types import Batch, Chunk

DECAY, RATE = 0.8, 0.1
LABELS = {"w": "gradient", "mean": "average", "fixed": "frozen", "scale": "scheduled", "critic": "critic"}


class Terms(NamedTuple):
    error: jax.Array
    parts: jax.Array


@dataclasses.dataclass(frozen=True)
class Toy:
    """Every label once; the average is of the examples' values."""

    def labels(self, params):
        return LABELS

    def encode(self, params, x):
        return Normal(x, jnp.zeros_like(x))

    def targets(self, params, posterior, weights, step_key):
        seen = jax.vmap(weighted_mean, (1, None))(posterior.mean, weights)
        return {"mean": DECAY * params["mean"] + (1 - DECAY) * seen + jax.random.uniform(step_key)}


@with_averages
def loss(params, key, x, *, model, condition, weights):
    error = params["scale"] * jnp.square(params["w"] + params["mean"] + params["fixed"] - x).sum(-1)
    error = error + jnp.square(params["critic"] - x).sum(-1)
    return weighted_mean(error, weights), Terms(error, jnp.stack([error, error], -1))


LOSS = functools.partial(loss, model=Toy())
SCHEDULES = {"scale": optax.linear_schedule(1.0, 3.0, 4)}


@pytest.fixture
def batch():
    x = jax.random.normal(jax.random.key(3), (6, 2))
    return Batch(x, jnp.arange(6, dtype=jnp.uint32), jnp.array([1.0, 2.0, 0.0, 1.0, 0.5, 0.0]))


def optimizer(inner=None, partition=None):
    return labelled(inner or optax.sgd(RATE), Toy().labels, {"critic": partition or Partition(optax.sgd(2 * RATE))})


def params():
    return {name: jnp.full(() if name == "scale" else 2, 1.0 + number) for number, name in enumerate(LABELS)}


def start(chosen):
    return init_state(rng.root(7), params(), chosen)


def make_step(chosen, **options):
    return make_train_step(LOSS, chosen, leaf_schedules=SCHEDULES, **options)


def close(a, b, rtol=1e-5):
    jax.tree.map(lambda p, q: np.testing.assert_allclose(p, q, rtol=rtol, atol=1e-6), a, b)


def test_each_leaf_moves_by_its_own_rule(batch):
    chosen = optimizer()
    state = start(chosen)._replace(step=jnp.int32(2))
    new, metrics = jax.jit(make_step(chosen))(state, batch)
    scale, mean = 2.0, np.average(batch.x, axis=0, weights=batch.weights)
    noise = jax.random.uniform(rng.stream(state.key, "step", 2))
    expected = {
        "w": 1 - RATE * 2 * scale * (1 + 2 + 3 - mean),
        "mean": DECAY * 2 + (1 - DECAY) * mean + noise,
        "fixed": np.full(2, 3.0),
        "scale": scale,
        "critic": 5 - 2 * RATE * 2 * (5 - mean),
    }
    close(new.params, expected)
    assert metrics["scale"] == scale
    np.testing.assert_allclose(metrics["loss"], metrics["error"], rtol=1e-6)
    np.testing.assert_allclose(metrics["parts"], metrics["error"] * np.ones(2), rtol=1e-6)


def test_the_pull_changes_neither_value_nor_gradient_of_other_leaves(batch):
    bare = loss.__wrapped__
    (value, _), gradient = jax.value_and_grad(LOSS, has_aux=True)(
        params(), None, batch.x, weights=batch.weights, condition=None, step_key=rng.root(0)
    )
    (plain, _), slopes = jax.value_and_grad(functools.partial(bare, model=Toy()), has_aux=True)(
        params(), None, batch.x, weights=batch.weights, condition=None
    )
    assert value == plain
    close([gradient[name] for name in ("w", "critic")], [slopes[name] for name in ("w", "critic")])
    close([gradient["fixed"], gradient["scale"]], [np.zeros(2), 0.0])
    bad, _ = LOSS(
        params(), None, batch.x.at[0].set(jnp.inf), weights=batch.weights, condition=None, step_key=rng.root(0)
    )
    assert bad == jnp.inf  # the pull's own infinity would make it NaN


@pytest.mark.slow
def test_devices_parts_and_padding_change_nothing(batch):
    chosen = optimizer(optax.adam(RATE))
    alone, metrics = jax.jit(make_step(chosen))(start(chosen), batch)
    parts, _ = jax.jit(make_step(chosen, accumulate=3))(start(chosen), batch)
    close(alone.params, parts.params)
    split = jax.tree.map(lambda a: a.reshape(2, 3, *a.shape[1:]), batch)
    for mapped in (jax.vmap, jax.pmap):
        step = mapped(make_step(chosen, axis_name="device"), in_axes=(None, 0), axis_name="device")
        several, theirs = jax.tree.map(lambda a: a[0], step(start(chosen), split))
        close(alone.params, several.params)
        close(metrics, theirs)
    kept = np.flatnonzero(batch.weights)
    unpadded = Batch(batch.x[kept], batch.ids[kept], batch.weights[kept])
    close(alone.params, jax.jit(make_step(chosen))(start(chosen), unpadded)[0].params)


@pytest.mark.slow
def test_seeds_train_together_as_alone(batch):
    chosen = optimizer(optax.adam(RATE), Partition(optax.adam(RATE), every=2))
    states = [start(chosen)._replace(key=rng.root(seed)) for seed in (1, 2)]
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *states)
    step = make_step(chosen)
    for _ in range(3):
        states = [step(state, batch)[0] for state in states]
        stacked = jax.vmap(step, (0, None))(stacked, batch)[0]
    for number, state in enumerate(states):
        close(state.params, jax.tree.map(operator.itemgetter(number), stacked.params))


@pytest.mark.quick_rows("2-1-open_steps3")
@pytest.mark.parametrize(
    ("every", "after", "open_steps"), [(1, 0, [1, 2, 3, 4]), (2, 0, [2, 4]), (1, 3, [4]), (2, 1, [3])]
)
def test_a_closed_partition_stands_still(batch, every, after, open_steps):
    chosen = optimizer(partition=Partition(optax.adam(RATE), every, after))
    step, state = jax.jit(make_step(chosen)), start(chosen)
    for number in range(1, 5):
        new, _ = step(state, batch)
        moments = [optax.tree_utils.tree_get(s.opt_state.inner_states["critic"], "mu") for s in (state, new)]
        assert (number in open_steps) == bool((new.params["critic"] != state.params["critic"]).all())
        assert (number in open_steps) == bool((moments[0]["critic"] != moments[1]["critic"]).all())
        assert (new.params["w"] != state.params["w"]).all()
        state = new


def test_where_all_is_gradient_the_state_is_that_of_the_optimizer():
    plain = optax.chain(optax.clip_by_global_norm(1.0), adam(0.1, 0.01))
    same = labelled(plain, {"a": "gradient", "b": {"c": "gradient"}})
    tree = {"a": jnp.ones(2), "b": {"c": jnp.ones(2)}}
    assert jax.tree.structure(same.init(tree)) == jax.tree.structure(plain.init(tree))


def test_clipping_and_decay_concern_the_gradient_alone(batch):
    clipped = optax.chain(optax.clip_by_global_norm(1e-6), optax.sgd(1.0))
    close(jax.jit(make_step(optimizer(clipped)))(start(optimizer(clipped)), batch)[0].params["w"], np.ones(2))
    free, _ = make_step(optimizer())(start(optimizer()), batch)
    held, _ = make_step(optimizer(clipped))(start(optimizer(clipped)), batch)
    close({**free.params, "w": 0}, {**held.params, "w": 0})


def test_an_average_of_parameters_takes_other_leaves_as_they_are(batch):
    chosen = with_average(guarded(optimizer(), "skip", LABELS), 0.5, LABELS)
    state = start(chosen)
    for _ in range(3):
        state, _ = jax.jit(make_step(chosen, tolerant=True), donate_argnums=())(state, batch)
    evaluated = evaluation_params(state)
    assert (evaluated["w"] != state.params["w"]).all()
    close({**evaluated, "w": 0}, {**state.params, "w": 0}, rtol=0)


def test_halved_rates_concern_gradient_and_partitions(batch):
    chosen = guarded(optimizer(), "halve-lr", LABELS)
    step, state = jax.jit(make_step(chosen, tolerant=True)), start(chosen)
    bad = batch._replace(x=batch.x.at[0].set(jnp.nan))
    skipped, _ = step(state, bad)
    close({**skipped.params, "scale": 0}, {**state.params, "scale": 0}, rtol=0)
    # At the same step as without the bad one.
    halved, whole = (step(s._replace(step=state.step), batch)[0].params for s in (skipped, state))
    for name, share in {"w": 0.5, "critic": 0.5, "mean": 1.0}.items():
        close(halved[name] - state.params[name], share * (whole[name] - state.params[name]))


@pytest.mark.parametrize(
    ("partitions", "words"),
    [
        ({}, "no optimizer for 'critic'"),
        ({"critc": Partition(optax.sgd(1.0))}, "did you mean 'critc'"),
        ({"average": Partition(optax.sgd(1.0))}, "rule of its own"),
        ({"critic": Partition(optax.sgd(1.0), every=0)}, "every: must be 1 or more, got 0"),
    ],
)
def test_wrong_labels_are_refused(partitions, words):
    with pytest.raises(InputError, match=words):
        labelled(optax.sgd(1.0), LABELS, partitions).init(params())


def test_a_loss_that_gathers_refuses_parts():
    def coupled(params, key, x, *, condition, weights, axis_name): ...

    with pytest.raises(InputError, match="accumulate: got 2"):
        make_train_step(coupled, optax.sgd(1.0), accumulate=2)


def test_a_loss_gets_what_it_asks_for(batch):
    def asking(params, key, x, *, condition, weights, step, ids, step_key, axis_name):
        drawn = jax.random.uniform(step_key) + 0 * params["w"].sum()
        known = jnp.full(len(ids), drawn) + step + ids * (axis_name is None)
        return weighted_mean(known, weights), Terms(known, jnp.stack([known] * 2, -1))

    step = make_train_step(asking, optax.sgd(1.0))
    state = init_state(rng.root(7), {"w": jnp.ones(2)}, optax.sgd(1.0))._replace(step=jnp.int32(3))
    drawn = jax.random.uniform(rng.stream(state.key, "step", 3))
    expected = drawn + 3 + np.average(batch.ids, weights=batch.weights)
    np.testing.assert_allclose(step(state, batch)[1]["loss"], expected, rtol=1e-6)


def test_examples_may_be_a_dict_of_arrays(batch):
    def paired(params, key, x, *, condition, weights):
        error = jnp.square(params["w"] - x["a"] * x["b"][:, None]).sum(-1)
        return weighted_mean(error, weights), Terms(error, error)

    tree = Batch({"a": batch.x, "b": jnp.arange(6.0)}, batch.ids, batch.weights)
    state = init_state(rng.root(7), {"w": jnp.ones(2)}, optax.sgd(RATE))
    whole, _ = make_train_step(paired, optax.sgd(RATE))(state, tree)
    parts, _ = make_train_step(paired, optax.sgd(RATE), accumulate=2)(state, tree)
    close(whole.params, parts.params)
    mean = np.average(tree.x["a"] * tree.x["b"][:, None], axis=0, weights=batch.weights)
    close(whole.params["w"], 1 - 2 * RATE * (1 - mean))


def test_a_run_resumes_from_a_checkpoint_to_the_last_bit(batch, tmp_path):
    inner = labelled(optax.adam(RATE), LABELS, {"critic": Partition(optax.adam(RATE), every=2)})
    chosen = with_average(guarded(inner, "skip", LABELS), 0.5, LABELS)
    step = jax.jit(make_step(chosen, tolerant=True))
    state = start(chosen)
    for number in range(6):
        if number == 3:
            Checkpoints(tmp_path).save(3, state, {}, None)
        state, _ = step(state, batch)
    resumed = Checkpoints(tmp_path).restore(jax.eval_shape(lambda: start(chosen))).state
    for _ in range(3):
        resumed, _ = step(resumed, batch)
    assert digest(resumed) == digest(state)
    close(evaluation_params(resumed), evaluation_params(state), rtol=0)


@pytest.mark.quick_rows("scan")
@pytest.mark.parametrize("name", ["scan", "pmap", "sharded"])
def test_dispatches_give_the_numbers_of_single_steps(batch, name):
    """Two steps of a batch with padding, through every way to reach the devices."""
    chosen = optimizer(optax.adam(RATE), Partition(optax.adam(RATE), every=2))

    def make_gather(axis_name):
        step = make_step(chosen, axis_name=axis_name)
        return lambda state, rows, ids, weights, x: step(state, Batch(rows[ids], ids, weights))

    dispatch = make_dispatch(name, make_gather, np.asarray(batch.x), width=6, devices=jax.devices(), steps=2)
    chunk = Chunk(np.stack([batch.ids] * 2), np.stack([batch.weights] * 2), None, 0, 2)
    found, _ = dispatch.run(dispatch.place_state(start(chosen)), dispatch.place_chunk(chunk))
    step, alone = jax.jit(make_step(chosen)), start(chosen)
    for _ in range(2):
        alone, _ = step(alone, batch)
    close(jax.device_get(found.params), alone.params)
