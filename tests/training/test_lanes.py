"""Trainings at once: the same numbers as alone, whatever happens to the others."""

import functools
from concurrent.futures import ThreadPoolExecutor

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxvae import elbo_loss, presets, rng
from jaxvae.data.batches import BatchOrder, make_batch
from jaxvae.data.feed import chunk_counts, resident_chunks, streamed_chunks
from jaxvae.errors import InputError
from jaxvae.training import Interrupt, init_state, make_dispatch, make_train_step
from jaxvae.training.lanes import Lanes

X = np.random.default_rng(0).uniform(size=(30, 4)).astype(np.float32)
MODEL = presets.build("vae", (4,), latent_dim=2, hidden=(8,))
WIDER = presets.build("vae", (4,), latent_dim=2, hidden=(9,))
STEPS = 24


def train(make, seed, *, rate=0.1, beta=1.0, model=MODEL, stream=False, name="scan", first_step=0, num_steps=STEPS):
    """Train, and return the losses of the chunks and the last parameters."""
    optimizer = optax.sgd(rate)
    step = make_train_step(functools.partial(elbo_loss, model=model, beta=beta), optimizer)

    def gather_step(state, rows, ids, weights, x):
        return step(state, make_batch(rows[ids] if x is None else x, state.key, ids, weights))

    order = BatchOrder(rng.root(seed), len(X), 8)
    options = {"width": 8, "devices": jax.devices()[:1], "steps": 5}
    dispatch = make(name, lambda axis_name: gather_step, None if stream else X.copy(), **options)
    counts = chunk_counts(first_step, num_steps, boundaries=(order.steps_per_block,), limit=dispatch.steps)
    feed = functools.partial(streamed_chunks, order, X) if stream else functools.partial(resident_chunks, order)
    state = init_state(rng.root(seed), model.init(rng.root(seed), jnp.zeros((1, 4))), optimizer)
    state = dispatch.place_state(state._replace(step=jnp.array(first_step)))
    losses = []
    for chunk in feed(dispatch.place_chunk, first_step, counts):
        if not losses:
            dispatch.compile(state, chunk)
        state, metrics = dispatch.run(state, chunk)
        losses.append(float(metrics["loss"]))
    return losses, jax.tree.leaves(jax.device_get(state.params))


def at_once(*trainings):
    """Run trainings in lanes; returns what each returns, and what was said."""
    lines = []
    lanes = Lanes(len(trainings), Interrupt(), lines.append)

    def run(number, training):
        lane = lanes.all[number]
        try:
            lane.begin(number, f"run {number}")
            return training(lane.make_dispatch)
        finally:
            lane.leave()

    with ThreadPoolExecutor(len(trainings)) as threads:
        return [*threads.map(run, range(len(trainings)), trainings)], lines


@functools.cache
def by_itself(**options):
    return train(make_dispatch, **options)


def check(found, wanted):
    np.testing.assert_allclose(found[0], wanted[0], rtol=1e-4)
    for leaf, alone in zip(found[1], wanted[1], strict=True):
        np.testing.assert_allclose(leaf, alone, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("stream", [False, True])
def test_each_has_its_own_numbers_and_its_own_examples(stream):
    trainings = [{"seed": 0}, {"seed": 1, "rate": 0.01}, {"seed": 1, "beta": 3.0}]
    found, lines = at_once(*(functools.partial(train, **options, stream=stream) for options in trainings))
    assert lines == ["run 0, run 1, run 2: trained at once"]
    for one, options in zip(found, trainings, strict=True):
        check(one, by_itself(**options, stream=stream))
    assert found[0][0] != found[1][0] != found[2][0]


def test_one_that_is_not_finite_or_ends_sooner_changes_no_other():
    """Three of four leave one after another, so that the program is made for fewer in between."""
    lost = functools.partial(train, seed=2, rate=float("nan"), num_steps=20)
    short = functools.partial(train, seed=3, num_steps=10)
    found, _ = at_once(lost, short, short, functools.partial(train, seed=0))
    assert np.isnan(found[0][0][-1])
    check(found[1], by_itself(seed=3, num_steps=10))
    check(found[3], by_itself(seed=0))


def test_others_go_on_beside_them_and_a_line_says_why():
    found, lines = at_once(
        functools.partial(train, seed=0),
        functools.partial(train, seed=1, model=WIDER),
        functools.partial(train, seed=2, first_step=4),  # resumed, and therefore out of step
        functools.partial(train, seed=3, model=WIDER),
    )
    assert lines == [
        "run 0, run 2: trained at once",
        "run 1, run 3: trained at once, because their step has other shapes than that of run 0",
    ]
    check(found[0], by_itself(seed=0))
    check(found[2], by_itself(seed=2, first_step=4))
    check(found[3], by_itself(seed=3, model=WIDER))


def test_several_devices_are_refused():
    with pytest.raises(
        InputError, match=r"^devices: trials are trained at once on one device; give --fixed devices=1$"
    ):
        at_once(functools.partial(train, seed=0, name="sharded"), functools.partial(train, seed=1, name="sharded"))
