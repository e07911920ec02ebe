"""Predictors of tokens, each a row here: steps, causality, enumeration, samples, padding and a context of no weight."""

import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae.distributions import Tokens
from jaxvae.nets import (
    Bound,
    Conductor,
    DilatedPredictor,
    HierarchicalPredictor,
    LSTMPredictor,
    TransformerPredictor,
)

V, T, END, C = 3, 4, 1, 2  # tokens are padding, the end mark and a word
NETWORKS = {
    "lstm": LSTMPredictor(V, (5,), 3),
    "two_layers": LSTMPredictor(V, (5, 4), 3),
    "transformer": TransformerPredictor(V, 2 * T, 8, 2, 2),
    "dilated": DilatedPredictor(V, 6, (1, 2), 3),
    "hierarchical": HierarchicalPredictor(LSTMPredictor(V, (5,), 3), Conductor(4, T), 2),
}
ROWS = jnp.array([[2, 2, 2, 1], [2, 1, 0, 0], [1, 0, 0, 0]])
EVERY_ROW = jnp.array(list(itertools.product(range(V), repeat=T)))
CONTEXTS = jnp.asarray(np.random.default_rng(0).normal(size=(3, C)), jnp.float32)


@functools.cache
def params(name):
    """Parameters that are larger than those of a new network, so that everything matters."""
    fresh = jax.jit(NETWORKS[name].init)(jax.random.key(0), ROWS, CONTEXTS)["params"]
    return jax.tree.map(lambda leaf: leaf + 0.7 * jax.random.normal(jax.random.key(leaf.size), leaf.shape), fresh)


def tokens(name, context, length=T, own=None):
    return Tokens(Bound(own or params(name), NETWORKS[name]), context, length, END, 0)


@jax.jit
def log_prob(d, x):
    return d.log_prob(x)


@pytest.fixture(params=NETWORKS)
def name(request):
    return request.param


def test_steps_agree_with_the_whole_row(name):
    bound = Bound(params(name), NETWORKS[name])

    @jax.jit
    def stepped():
        def step(carry, token):
            state, logits = carry
            return bound(state, token, CONTEXTS, method="step"), logits

        return jax.lax.scan(step, bound(CONTEXTS, method="start"), ROWS.T)[1]

    whole = jax.jit(bound)(ROWS, CONTEXTS)
    assert whole.shape == (3, T, V)
    np.testing.assert_allclose(jnp.moveaxis(stepped(), 0, 1), whole, rtol=1e-4, atol=1e-5)


def test_the_probabilities_of_all_rows_sum_to_one(name):
    rows = jnp.broadcast_to(EVERY_ROW[:, None], (len(EVERY_ROW), 3, T))
    scores = np.float64(log_prob(tokens(name, CONTEXTS), rows))
    np.testing.assert_allclose(np.exp(scores).sum(0), 1, atol=1e-5)
    np.testing.assert_allclose(scores[:, 0], log_prob(tokens(name, CONTEXTS[0]), EVERY_ROW), rtol=1e-4)


@pytest.mark.quick_rows("lstm", "transformer")
def test_frequencies_of_samples_are_the_probabilities(name):
    num = 100_000
    context = jnp.broadcast_to(CONTEXTS[0], (num, C))
    x = np.asarray(jax.jit(lambda d, key: d.sample(key))(tokens(name, context), jax.random.key(0)))
    chance = np.exp(np.float64(log_prob(tokens(name, CONTEXTS[0]), EVERY_ROW)))
    frequency = np.bincount((x * V ** np.arange(T)[::-1]).sum(-1), minlength=len(EVERY_ROW)) / num
    np.testing.assert_array_less(np.abs(frequency - chance), 6 * np.sqrt(chance * (1 - chance) / num) + 1e-12)


@pytest.mark.quick_rows("lstm", "transformer")
def test_more_padding_changes_nothing(name):
    longer = jnp.pad(ROWS, ((0, 0), (0, T)))

    def score(rows):
        def loss(own, context):
            return tokens(name, context, rows.shape[1], own).log_prob(rows).sum()

        return jax.jit(jax.value_and_grad(loss, argnums=(0, 1)))(params(name), CONTEXTS)

    (one, gradient), (other, gradient_of_longer) = score(ROWS), score(longer)
    assert one == pytest.approx(float(other), rel=1e-5)
    close = functools.partial(np.testing.assert_allclose, rtol=1e-3, atol=1e-4)
    jax.tree.map(close, gradient, gradient_of_longer)
    samples = [tokens(name, CONTEXTS, length).sample(jax.random.key(3)) for length in (T, 2 * T)]
    np.testing.assert_array_equal(samples[0], samples[1][:, :T])


def without_context(name):
    """Parameters whose weights of the context are zero."""
    own = jax.tree.map(lambda leaf: leaf, params(name))
    if name == "transformer":
        own["slot"]["kernel"] *= 0
    elif name == "dilated":
        own["input"]["kernel"] = own["input"]["kernel"].at[-C:].set(0)
    else:
        lstm = own["conductor"] if name == "hierarchical" else own
        first = lstm["bars" if name == "hierarchical" else "layers_0"]["inputs"]
        first["kernel"] = first["kernel"].at[-C:].set(0)
        for start in [part for part in lstm if part.startswith("start")]:
            lstm[start]["kernel"] *= 0
    return own


def test_a_context_of_zero_weight_makes_a_language_model(name):
    own = without_context(name)
    with_z, without = (log_prob(tokens(name, context, own=own), ROWS) for context in (CONTEXTS, 0 * CONTEXTS))
    np.testing.assert_array_equal(with_z, without)
    assert not np.allclose(with_z, log_prob(tokens(name, CONTEXTS), ROWS))


def test_a_token_depends_on_none_behind_it(name):
    bound = jax.jit(Bound(params(name), NETWORKS[name]))
    one, other = (bound(ROWS.at[:, 2:].set(token), CONTEXTS) for token in (1, 2))
    np.testing.assert_allclose(one[:, :3], other[:, :3], rtol=1e-5, atol=1e-6)
    assert not np.allclose(one[:, 3], other[:, 3]) or name == "hierarchical"  # a bar has two tokens


def test_products_in_half_precision_leave_parameters_and_logits_in_float32(name):
    network = NETWORKS[name]
    network = (
        HierarchicalPredictor(network.cell.clone(dtype="bfloat16"), network.conductor.clone(dtype="bfloat16"), 2)
        if name == "hierarchical"
        else network.clone(dtype="bfloat16")
    )
    shapes = jax.eval_shape(network.init, jax.random.key(0), ROWS, CONTEXTS)
    assert {leaf.dtype for leaf in jax.tree.leaves(shapes)} == {jnp.dtype("float32")}
    low = jax.jit(Bound(params(name), network))(ROWS, CONTEXTS)
    assert low.dtype == jnp.float32
    np.testing.assert_allclose(low, Bound(params(name), NETWORKS[name])(ROWS, CONTEXTS), rtol=0.05, atol=0.2)
    state, logits = jax.eval_shape(lambda: Bound(params(name), network)(CONTEXTS, method="start"))
    again, _ = jax.eval_shape(lambda s: Bound(params(name), network)(s, ROWS[:, 0], CONTEXTS, method="step"), state)
    assert jax.tree.map(lambda leaf: leaf.dtype, state) == jax.tree.map(lambda leaf: leaf.dtype, again)
    assert logits.dtype == jnp.float32
