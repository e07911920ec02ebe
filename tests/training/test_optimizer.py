"""Schedules at their corners, and an average of parameters that is what its formula says."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxvae.errors import InputError
from jaxvae.training import init_state
from jaxvae.training.optimizer import (
    adam,
    evaluation_params,
    inference_first,
    learning_rate_schedule,
    with_average,
)


@pytest.mark.parametrize(
    ("decay", "expected"),
    [("none", [2.0, 2.0, 2.0]), ("linear", [2.0, 1.0, 0.0]), ("cosine", [2.0, 1.0, 0.0])],
)
@pytest.mark.parametrize("warmup_steps", [0, 10])
def test_schedule_peaks_after_the_warmup_and_ends_at_the_last_step(decay, expected, warmup_steps):
    schedule = learning_rate_schedule(2.0, steps=100 + warmup_steps, warmup_steps=warmup_steps, decay=decay)
    at = [schedule(step + warmup_steps) for step in (0, 50, 100)]
    np.testing.assert_allclose(at, expected, atol=1e-6)
    if warmup_steps:
        np.testing.assert_allclose([schedule(step) for step in (0, 5)], [0.0, 1.0], atol=1e-6)


def test_weight_decay_is_a_share_of_the_learning_rate_and_leaves_biases_alone():
    params = {"encoder": {"kernel": jnp.full((2, 2), 3.0), "bias": jnp.full(2, 3.0)}, "log_var": jnp.full((2, 2), 3.0)}
    gradient = jax.tree.map(jnp.ones_like, params)

    def after_one_step(weight_decay):
        optimizer = adam(0.1, weight_decay)
        return optax.apply_updates(params, optimizer.update(gradient, optimizer.init(params), params)[0])

    drawn = jax.tree.map(jnp.subtract, after_one_step(0.0), after_one_step(0.5))
    expected = {"encoder": {"kernel": 0.1 * 0.5 * 3.0, "bias": 0.0}, "log_var": 0.0}
    jax.tree.map(lambda found, value: np.testing.assert_allclose(found, value, atol=1e-6), drawn, expected)


def test_average_follows_its_formula_and_leaves_the_updates_alone():
    decay, plain = 0.3, optax.sgd(1.0)
    optimizer = with_average(plain, decay)
    params, average = {"w": jnp.zeros(3)}, np.zeros(3)
    state = init_state(jax.random.key(0), params, optimizer)
    for count in range(1, 8):
        gradient = {"w": jnp.full(3, -float(count))}
        updates, opt_state = optimizer.update(gradient, state.opt_state, state.params)
        state = state._replace(params=optax.apply_updates(state.params, updates), opt_state=opt_state)
        keep = min(decay, (1 + count) / (10 + count))
        average = keep * average + (1 - keep) * count * (count + 1) / 2
    np.testing.assert_allclose(state.params["w"], 28.0)
    np.testing.assert_allclose(evaluation_params(state)["w"], average, rtol=1e-6)


def test_without_an_average_the_last_parameters_are_evaluated():
    state = init_state(jax.random.key(0), {"w": jnp.ones(2)}, optax.sgd(1.0))
    assert evaluation_params(state) is state.params


def test_a_state_with_an_average_can_be_donated():
    optimizer = with_average(optax.sgd(1.0), 0.9)
    state = init_state(jax.random.key(0), {"w": jnp.ones(2)}, optimizer)
    moved = jax.jit(lambda s: jax.tree.map(lambda leaf: leaf + 1, s._replace(key=None)), donate_argnums=0)(state)
    assert moved.params["w"][0] == 2


def test_weight_decay_finds_kernels_in_any_tree():
    matrix, vector = jnp.full((2, 2), 3.0), jnp.full(2, 3.0)
    params = {"haiku": {"w": matrix, "b": vector}, "list": [matrix, vector], "masked": {"input_kernel": matrix}}
    params["tuple"] = optax.TraceState(matrix)  # an attribute, named otherwise
    zeros = jax.tree.map(jnp.zeros_like, params)
    optimizer = adam(0.1, 0.5)
    updates, _ = optimizer.update(zeros, optimizer.init(params), params)
    decayed = jax.tree.map(lambda update: bool((update != 0).all()), updates)
    assert decayed == {
        "haiku": {"w": True, "b": False},
        "list": [True, False],
        "masked": {"input_kernel": True},
        "tuple": optax.TraceState(False),
    }


@pytest.mark.parametrize(("until", "open_steps"), [(None, [3, 6]), (4, [3, 5, 6, 7, 8]), (0, [*range(1, 9)])])
def test_the_decoder_waits_for_the_encoder(until, open_steps):
    """Each part takes Adam's own steps, the decoder at fewer times."""
    params = {"encoder": jnp.array([1.0, -2.0]), "decoder": {"kernel": jnp.ones(3)}}
    optimizer = inference_first(optax.adam(0.1), 3, until)
    step = jax.jit(optimizer.update)
    state = optimizer.init(params)
    alone = {name: optax.adam(0.1).init(part) for name, part in params.items()}
    for number in range(1, 9):
        gradient = jax.tree.map(lambda leaf, scale=number: scale + leaf, params)
        updates, state = step(gradient, state, params)
        for name in ("encoder", "decoder"):
            if name == "encoder" or number in open_steps:
                expected, alone[name] = optax.adam(0.1).update(gradient[name], alone[name])
            else:
                expected = jax.tree.map(jnp.zeros_like, params[name])
            jax.tree.map(lambda a, e: np.testing.assert_allclose(a, e, rtol=1e-4, atol=1e-7), updates[name], expected)
        params = optax.apply_updates(params, updates)


def test_parameters_without_an_encoder_are_refused():
    with pytest.raises(InputError, match="inference_steps: needs parameters with a part named encoder"):
        inference_first(optax.adam(0.1), 3).init({"decoder": jnp.ones(2)})
