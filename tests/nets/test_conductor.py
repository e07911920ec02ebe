"""Hierarchical predictor: one bar is the flat predictor, and bars know of each other through their vectors alone."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from jaxvae.data.spaces import Tokens
from jaxvae.facts import Facts
from jaxvae.likelihoods import HierarchicalTokens
from jaxvae.nets import Bound, HierarchicalPredictor, LSTMPredictor

V, S, N = 5, 4, 3
CELL = LSTMPredictor(V, (6,), 3)
DRAW = np.random.default_rng(0)
ROWS = jnp.asarray(DRAW.integers(2, V, (2, N * S)))
CONTEXT = jnp.asarray(DRAW.normal(size=(2, 7)), jnp.float32)


class OneBar(nn.Module):
    """Conductor that hands the context on."""

    def __call__(self, context):
        return context[..., None, :]


class Divide(nn.Module):
    """Conductor whose bars' vectors are parts of the context."""

    def __call__(self, context):
        return context.reshape(*context.shape[:-1], N, -1)


def test_one_bar_and_a_conductor_that_hands_z_on_are_the_flat_predictor():
    whole = HierarchicalPredictor(CELL, OneBar(), N * S)
    params = CELL.init(jax.random.key(0), ROWS, CONTEXT)["params"]
    flat, in_bars = Bound(params, CELL), Bound({"cell": params}, whole)
    np.testing.assert_allclose(in_bars(ROWS, CONTEXT), flat(ROWS, CONTEXT), rtol=1e-5, atol=1e-6)
    (_, _, state), logits = in_bars(CONTEXT, method="start")
    np.testing.assert_array_equal(logits, flat(CONTEXT, method="start")[1])
    np.testing.assert_array_equal(state[0][0], flat(CONTEXT, method="start")[0][0][0])


def test_permuted_bars_have_permuted_logits():
    network = HierarchicalPredictor(CELL, Divide(), S)
    context = jnp.asarray(DRAW.normal(size=(2, N * 4)), jnp.float32)
    params = network.init(jax.random.key(0), ROWS, context)["params"]
    order = np.array([2, 0, 1])

    def permuted(values):
        return values.reshape(2, N, -1)[:, order].reshape(values.shape)

    bound = jax.jit(Bound(params, network))
    logits = bound(ROWS, context)
    np.testing.assert_allclose(bound(permuted(ROWS), permuted(context)), permuted(logits), rtol=1e-5, atol=1e-6)
    assert not np.allclose(logits, permuted(logits), atol=1e-2)


def test_the_note_before_a_bar_is_not_read_in_it():
    network = HierarchicalPredictor(CELL, Divide(), S)
    context = jnp.asarray(DRAW.normal(size=(2, N * 4)), jnp.float32)
    params = network.init(jax.random.key(0), ROWS, context)["params"]

    def logits(shift):
        tables = {**params["cell"], "embed": {"embedding": params["cell"]["embed"]["embedding"] + shift}}
        return Bound({**params, "cell": tables}, network)(ROWS, context)

    moved = jnp.zeros((V + 1, 3)).at[:V].set(1.0)  # all tokens, and not the start of a bar
    same = np.isclose(logits(0 * moved), logits(moved), atol=1e-6).all((0, 2))
    assert same.tolist() == [True, False, False, False] * N


@pytest.mark.parametrize(("length", "bars"), [(33, 3), (32, 2), (5, 1)])
def test_the_last_bar_may_be_short(length, bars):
    network = HierarchicalTokens((4,), 3, 4).network(Facts(Tokens(V, length), 2), Tokens(V, length))
    assert network.conductor.num_bars == bars
    shape = jax.eval_shape(network.init_with_output, jax.random.key(0), jnp.zeros((2, length), int), jnp.zeros((2, 2)))
    assert shape[0].shape == (2, length, V)
