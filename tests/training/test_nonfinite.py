"""Steps that are not finite: named whichever way they reach the devices, and left out where that is wanted."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxvae import rng
from jaxvae.data.batches import BatchOrder
from jaxvae.data.feed import chunk_counts, resident_chunks
from jaxvae.objectives.elbo import weighted_mean
from jaxvae.training import NonFiniteError, guarded, init_state, make_dispatch, make_train_step, train
from jaxvae.training.nonfinite import biases, check_state, num_skipped, sum_of_all
from jaxvae.training.optimizer import with_average
from jaxvae.types import Batch

FINE = [1.0, 1.0, 1.0]
BAD = {  # an example, and what it does
    "kl": [np.nan, 1.0, 1.0],
    "log_likelihood": [1.0, np.inf, 1.0],
    "gradient": [1.0, 1.0, 0.0],
}
NUM, BAD_ID, LEARNING_RATE = 10, 6, 0.1


class Terms(NamedTuple):
    log_likelihood: jax.Array
    kl: jax.Array


def loss(params, keys, x, *, condition, weights):
    """Each of an example's three numbers can spoil one thing: the square root of 0 has a value and no slope."""
    terms = Terms(-((params["b"] - x[:, 1]) ** 2), (params["w"] * x[:, 0]) ** 2 + jnp.sqrt(params["w"] * x[:, 2]))
    return weighted_mean(terms.kl - terms.log_likelihood, weights), terms


def images(kind):
    examples = np.tile(np.array(FINE, np.float32), (NUM, 1))
    examples[BAD_ID] = BAD[kind]
    return examples


def first_state(optimizer, seed=0):
    return init_state(rng.root(seed), {"w": jnp.float32(2.0), "b": jnp.float32(3.0)}, optimizer)


def run(kind, mode="stop", name="scan", *, optimizer=None, num_steps=9, seeds=None, order_key=None):
    """Three batches of four examples make an epoch."""
    optimizer = optimizer or guarded(optax.sgd(LEARNING_RATE), mode)
    order = BatchOrder(rng.root(0) if order_key is None else order_key, NUM, 4, 2)

    def make_step(axis_name):
        step = make_train_step(loss, optimizer, axis_name=axis_name, tolerant=mode != "stop")
        return lambda state, images, ids, weights, x: step(state, Batch(images[ids], ids, weights))

    dispatch = make_dispatch(
        name, make_step, images(kind), width=order.width, devices=jax.devices(), seeds=seeds, steps=50
    )
    state = first_state(optimizer)
    if seeds:
        state = jax.tree.map(lambda leaf: jnp.stack([leaf] * seeds), state)
    counts = chunk_counts(0, num_steps, boundaries=(order.steps_per_block,), limit=dispatch.steps)
    chunks = resident_chunks(order, dispatch.place_chunk, 0, counts)
    return train(dispatch.place_state(state), dispatch.run, chunks, num_steps=num_steps)


def bad_steps(num_steps, seed=0):
    """The steps, from 1, whose batch has the bad example, by the order alone."""
    ids, _ = BatchOrder(rng.root(seed), NUM, 4, 2).block(0)
    weights = BatchOrder(rng.root(seed), NUM, 4, 2).block(0)[1]
    hits = ((np.asarray(ids) == BAD_ID) & (np.asarray(weights) > 0)).any(axis=-1)
    return [step for step in range(1, num_steps + 1) if hits[step - 1]]


@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("name", ["step", "scan", "pmap", "sharded"])
def test_the_first_bad_step_and_its_terms_are_named(kind, name):
    with pytest.raises(NonFiniteError) as caught:
        run(kind, name=name)
    assert caught.value.step == bad_steps(3)[0]
    assert caught.value.terms == ([kind, "gradient"] if kind != "gradient" else ["gradient"])
    assert caught.value.seed_number is None


def test_of_several_seeds_the_first_to_fail_is_named():
    seeds = next(pair for pair in ((0, one) for one in range(1, 9)) if bad_steps(3, pair[0]) > bad_steps(3, pair[1]))
    with pytest.raises(NonFiniteError) as caught:
        run("kl", seeds=2, order_key=jnp.stack([rng.root(seed) for seed in seeds]))
    assert caught.value.seed_number == 1
    assert caught.value.step == bad_steps(3, seeds[1])[0]


@pytest.mark.parametrize("mode", ["skip", "halve-lr"])
@pytest.mark.parametrize("kind", BAD)
def test_bad_steps_are_left_out_and_counted(kind, mode):
    state, progress = run(kind, mode)
    bad = bad_steps(9)
    w, b, rate, losses = 2.0, 3.0, LEARNING_RATE, []
    for step in range(1, 10):
        if step in bad:
            rate /= 2 if mode == "halve-lr" else 1
            continue
        losses.append(w**2 + w**0.5 + (b - 1) ** 2)
        w, b = w - rate * (2 * w + 0.5 / w**0.5), b - rate * 2 * (b - 1)
    np.testing.assert_allclose([state.params["w"], state.params["b"]], [w, b], rtol=1e-5)
    assert num_skipped(state.opt_state) == len(bad) == 3
    assert state.step == 9
    sizes = [[4, 4, 2][step % 3] for step in range(9) if step + 1 not in bad]
    assert progress.take_metrics()["loss"] == pytest.approx(np.average(losses, weights=sizes), rel=1e-5)


def test_an_average_of_parameters_goes_on_over_steps_that_are_left_out():
    state, _ = run("kl", "skip", optimizer=with_average(guarded(optax.sgd(LEARNING_RATE), "skip"), 0.5))
    assert np.isfinite(state.opt_state.average["w"])
    assert state.opt_state.num_updates == 9
    assert num_skipped(state.opt_state) == 3


LARGE = 1e20
"""Finite in float32, and its square is not."""
MAX = float(np.finfo(np.float32).max)


@pytest.mark.parametrize("mode", ["skip", "halve-lr"])
@pytest.mark.parametrize(
    ("inner", "w", "gradient"),
    [(optax.adam(0.1), 1.0, LARGE), (optax.sgd(0.1), MAX, -MAX), (optax.sgd(MAX), 1.0, LARGE)],
    ids=["second moment", "parameter", "update"],
)
def test_an_overflow_in_the_optimizer_is_a_step_to_leave_out(mode, inner, w, gradient):
    optimizer = with_average(guarded(inner, mode), 0.5)
    before = init_state(rng.root(0), {"w": jnp.float32(w)}, optimizer)
    updates, after = optimizer.update({"w": jnp.float32(gradient)}, before.opt_state, before.params, finite=True)
    assert num_skipped(after) == 1
    assert updates["w"] == 0
    jax.tree.map(np.testing.assert_array_equal, after.inner.inner, before.opt_state.inner.inner)
    np.testing.assert_allclose(after.average["w"], w, rtol=1e-6)


@pytest.mark.parametrize("seeds", [None, 2])
def test_metrics_of_an_overflow_in_the_optimizer_count_for_no_example(seeds):
    def steep(params, keys, x, *, condition, weights):
        terms = Terms(jnp.zeros(len(x)), params["w"] * jnp.where(x[:, 1] > 0, 1.0, 2 * LARGE))
        return weighted_mean(terms.kl, weights), terms

    optimizer = guarded(optax.adam(0.1), "skip")
    step = make_train_step(steep, optimizer, tolerant=True)
    state = first_state(optimizer)
    fine = Batch(jnp.ones((4, 3)), jnp.arange(4, dtype=jnp.uint32), jnp.ones(4))
    bad = fine._replace(x=-fine.x)
    if seeds:
        step = jax.vmap(step)
        state, fine, bad = jax.tree.map(lambda leaf: jnp.stack([leaf] * seeds), (state, fine, bad))
        bad = bad._replace(x=bad.x.at[0].set(1.0))  # of the second seed alone
    state, metrics = jax.jit(step)(state, fine)
    np.testing.assert_array_equal(metrics["examples"], [4, 4] if seeds else 4)
    state, metrics = jax.jit(step)(state, bad)
    np.testing.assert_array_equal(metrics["examples"], [4, 0] if seeds else 0)
    np.testing.assert_array_equal(num_skipped(state.opt_state), [0, 1] if seeds else 1)
    check_state(state)


def test_a_sum_of_many_half_precision_numbers_is_finite():
    assert np.isfinite(sum_of_all({"kernel": jnp.full((400, 400), 60000, jnp.float16)}))


@pytest.mark.parametrize("mode", ["stop", "skip", "halve-lr"])
def test_finite_steps_are_the_optimizers_own_in_every_mode(mode):
    plain, guard = optax.adam(0.1), guarded(optax.adam(0.1), mode)
    one, other = ((o, first_state(o)) for o in (plain, guard))
    gradient = {"w": jnp.float32(0.3), "b": jnp.float32(-2.0)}
    results = [o.update(gradient, state.opt_state, state.params)[0] for o, state in (one, other)]
    jax.tree.map(np.testing.assert_array_equal, *results)


def test_the_state_has_the_same_form_in_every_mode():
    forms = [jax.tree.structure(first_state(guarded(optax.adam(0.1), mode))) for mode in ("stop", "skip", "halve-lr")]
    assert forms[0] == forms[1] == forms[2]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", ["scalar", "vector", "kernel"])
def test_a_sum_sees_every_number_that_is_not_finite(value, where):
    tree = {"scalar": np.zeros(()), "vector": np.zeros(5), "kernel": np.full((2, 3, 4), 1e30)}
    assert np.isfinite(sum_of_all(jax.tree.map(jnp.float32, tree)))
    tree[where].flat[-1] = value
    assert not np.isfinite(sum_of_all(jax.tree.map(jnp.float32, tree)))


def test_a_look_at_the_biases_is_a_look_at_the_small_leaves_or_at_all():
    kernel, bias = jnp.ones((2, 3)), jnp.ones(3)
    (only,) = biases({"layer": {"kernel": kernel, "bias": bias}})
    assert only is bias
    assert biases({"kernel": kernel})["kernel"] is kernel


def test_opposite_infinities_do_not_cancel():
    assert not np.isfinite(sum_of_all({"a": jnp.array([jnp.inf, -jnp.inf]), "b": jnp.zeros((), jnp.bfloat16)}))


@pytest.mark.parametrize(("part", "name"), [("params", "parameters"), ("opt_state", "optimizer state")])
def test_a_state_that_is_not_finite_is_not_worth_saving(part, name):
    state = first_state(optax.adam(0.1))
    check_state(state)
    state = state._replace(**{part: jax.tree.map(lambda leaf: leaf + jnp.inf, getattr(state, part))})
    with pytest.raises(NonFiniteError, match=f"step 0: {name} not finite"):
        check_state(state)
