"""Rows of tokens: all rows enumerated, loops over positions, frequencies of samples, and rows that are malformed."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special

from jaxvae.distributions import Tokens
from jaxvae.distributions.sampling import point
from jaxvae.nets import Bound, TokenPredictor
from jaxvae.rng import example_keys

V, T, PAD, END = 4, 3, 0, 1
NETWORK = TokenPredictor(V, (8,), embedding=3, window=2)
CONTEXTS = jnp.asarray(np.random.default_rng(0).normal(size=(2, 5)), jnp.float32)
PARAMS = jax.tree.map(
    lambda leaf: 0.7 * jax.random.normal(jax.random.key(leaf.size), leaf.shape),
    NETWORK.init(jax.random.key(0), jnp.zeros((1, T), jnp.int32), CONTEXTS[:1])["params"],
)
EVERY_ROW = jnp.array(list(itertools.product(range(V), repeat=T)))


def tokens(context, length=T):
    return Tokens(Bound(PARAMS, NETWORK), context, length, END, PAD)


@jax.jit
def log_prob(d, x):
    return d.log_prob(x)


def by_hand(row, context):
    """Score one row, one position after another, with the network's own step."""
    bound, total = Bound(PARAMS, NETWORK), 0.0
    state, logits = bound(context, method="start")
    for position, token in enumerate(row):
        logits = np.float64(logits)
        logits[PAD] = -np.inf
        total += special.log_softmax(logits)[token]
        if token == END:
            return total if all(rest == PAD for rest in row[position + 1 :]) else -np.inf
        state, logits = bound(state, jnp.int32(token), context, method="step")
    return total


def test_every_row_matches_a_loop_over_its_tokens():
    expected = [by_hand(row, CONTEXTS[0]) for row in EVERY_ROW.tolist()]
    np.testing.assert_allclose(log_prob(tokens(CONTEXTS[0]), EVERY_ROW), expected, rtol=1e-5, atol=1e-5)


def test_the_probabilities_of_all_rows_sum_to_one():
    for context in CONTEXTS:
        np.testing.assert_allclose(np.exp(np.float64(log_prob(tokens(context), EVERY_ROW))).sum(), 1, atol=1e-5)


def test_a_row_without_an_end_has_the_probability_of_all_that_begin_so():
    begun = log_prob(tokens(CONTEXTS[0], T - 1), jnp.array(list(itertools.product(range(V), repeat=T - 1))))
    whole = np.float64(log_prob(tokens(CONTEXTS[0]), EVERY_ROW)).reshape(-1, V)
    np.testing.assert_allclose(np.exp(begun), np.exp(whole).sum(1), rtol=1e-5, atol=1e-7)


def test_padding_behind_the_end_costs_nothing():
    x = jnp.array([[2, 1, 0], [3, 2, 1]])
    longer = jnp.pad(x, ((0, 0), (0, 4)))

    def score(rows):
        return jax.jit(jax.value_and_grad(lambda d: d.log_prob(rows).sum()))(tokens(CONTEXTS, rows.shape[1]))

    scores, gradients = zip(score(x), score(longer))
    assert scores[0] == pytest.approx(float(scores[1]), rel=1e-6)
    for one, other in zip(*map(jax.tree.leaves, gradients)):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("row", [[2, 1, 3], [0, 2, 1], [2, 0, 1], [2, 7, 1], [2, -1, 1], [0, 0, 0]])
def test_a_malformed_row_has_no_probability_and_no_gradient(row):
    score, gradient = jax.value_and_grad(lambda d: d.log_prob(jnp.array([row])).sum())(tokens(CONTEXTS[:1]))
    assert score == -jnp.inf
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient))


def test_frequencies_of_samples_are_the_probabilities():
    num = 20_000
    d = tokens(jnp.broadcast_to(CONTEXTS[0], (num, 5)))
    x = np.asarray(jax.jit(lambda d, key: d.sample(key))(d, jax.random.key(0)))
    assert x.dtype == np.int32
    chance = np.exp(np.float64(log_prob(tokens(CONTEXTS[0]), EVERY_ROW)))
    number = (x * np.array([V**2, V, 1])).sum(-1)
    frequency = np.bincount(number, minlength=len(EVERY_ROW)) / num
    np.testing.assert_array_less(np.abs(frequency - chance), 6 * np.sqrt(chance * (1 - chance) / num) + 1e-12)


def test_each_example_has_its_own_key():
    keys = example_keys(jax.random.key(0), jnp.arange(2))
    together = tokens(CONTEXTS, 8).sample(keys)
    for row, context, key in zip(together, CONTEXTS, keys):
        np.testing.assert_array_equal(row, tokens(context, 8).sample(key))
    with pytest.raises(ValueError, match="key: "):
        tokens(CONTEXTS).sample(example_keys(jax.random.key(0), jnp.arange(3)))


def test_a_longer_row_begins_with_the_same_noise():
    key = jax.random.key(3)
    np.testing.assert_array_equal(tokens(CONTEXTS, 9).sample(key)[:, :4], tokens(CONTEXTS, 4).sample(key))


def test_the_point_takes_the_likeliest_token_at_each_step():
    for context in CONTEXTS:
        row = point(tokens(context)).tolist()
        for position in range(T):
            if position and row[position - 1] in (END, PAD):
                assert row[position] == PAD
                continue
            others = [token for token in range(V) if token != PAD]
            scores = [by_hand([*row[:position], token], context) for token in others]
            assert row[position] == others[int(np.argmax(scores))]


def test_samples_and_examples_broadcast():
    x = jnp.stack([EVERY_ROW[:2], EVERY_ROW[5:7]])
    got = log_prob(tokens(CONTEXTS), x)
    assert got.shape == (2, 2)
    np.testing.assert_allclose(got[1], log_prob(tokens(CONTEXTS), x[1]), rtol=1e-6)
    by_map = jax.vmap(lambda context, row: tokens(context).log_prob(row))(CONTEXTS, x[0])
    np.testing.assert_allclose(by_map, got[0], rtol=1e-6)


def test_a_row_of_another_length_is_refused():
    with pytest.raises(ValueError, match=r"value \(2, 4\) is no event of a distribution of shape \(2, 3\)"):
        tokens(CONTEXTS).log_prob(jnp.zeros((2, 4), jnp.int32))
