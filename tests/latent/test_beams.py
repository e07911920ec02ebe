"""Beam search against every row, and against greedy choice."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae.distributions import Tokens
from jaxvae.errors import InputError
from jaxvae.latent import beam_search
from jaxvae.nets import Bound, TokenPredictor

V, T, PAD, END = 4, 4, 0, 1
NETWORK = TokenPredictor(V, (8,), embedding=3, window=2)
CONTEXTS = jnp.asarray(np.random.default_rng(0).normal(size=(2, 3, 5)), jnp.float32)
PARAMS = jax.tree.map(
    lambda leaf: jax.random.normal(jax.random.key(leaf.size), leaf.shape),
    NETWORK.init(jax.random.key(0), jnp.zeros((1, T), jnp.int32), CONTEXTS[0, :1])["params"],
)
ROWS = Tokens(Bound(PARAMS, NETWORK), CONTEXTS, T, END, PAD)


def every_row():
    """Rows of T tokens as they are sampled: padding behind the end alone."""
    rows = np.array(list(itertools.product(range(V), repeat=T)))
    behind = np.pad(np.cumsum(rows == END, axis=1), ((0, 0), (1, 0)))[:, :-1] > 0
    return rows[((rows == PAD) == behind).all(axis=1)]


def test_with_enough_beams_it_finds_the_likeliest_rows():
    rows = every_row()
    log_prob = jax.jit(lambda d, x: d.log_prob(x))(ROWS, rows[:, None, None])
    order = np.argsort(-np.asarray(log_prob), axis=0)
    found = beam_search(ROWS, len(rows))
    np.testing.assert_allclose(found.log_prob, np.moveaxis(np.take_along_axis(log_prob, order, 0), 0, -1), atol=1e-5)
    np.testing.assert_array_equal(found.tokens[..., :5, :], np.moveaxis(rows[order[:5]], 0, -2))


def test_few_beams_find_no_likelier_row_and_score_what_they_find():
    found = beam_search(ROWS, 3)
    scored = jax.jit(lambda d, x: d.log_prob(x))(ROWS, jnp.moveaxis(found.tokens, 2, 0))
    np.testing.assert_allclose(found.log_prob, np.moveaxis(scored, 0, -1), atol=1e-5)
    assert (np.diff(found.log_prob) <= 0).all()
    assert (found.log_prob[..., 0] <= beam_search(ROWS, len(every_row())).log_prob[..., 0] + 1e-5).all()


def test_one_beam_is_greedy():
    np.testing.assert_array_equal(beam_search(ROWS, 1).tokens[..., 0, :], ROWS.point)


def test_no_beam_is_refused():
    with pytest.raises(InputError, match="size"):
        beam_search(ROWS, 0)
