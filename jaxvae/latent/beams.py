"""Beam search: the likeliest rows of tokens of a code, which greedy choice may miss."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxvae.arguments import whole_number
from jaxvae.distributions import Tokens
from jaxvae.types import Array


class Beams(NamedTuple):
    """Rows that a beam search found, the likeliest first."""

    tokens: Array
    """`[..., K, T]` rows; behind the end mark is padding."""
    log_prob: Array
    """`[..., K]` nats, those of `log_prob` of the distribution; -inf where there are fewer than K rows."""


def beam_search(distribution: Tokens, size: int = 5) -> Beams:
    """Search the likeliest rows, by keeping the `size` likeliest beginnings at each position.

    Log-probabilities are not divided by the length. With one beam, the row is the greedy one. With as many beams as
    there are rows, the result is exact.

    Args:
        distribution: rows `[..., T]`, such as p(x|z) of an autoregressive likelihood.
        size: number K of beams.

    Raises:
        InputError: `size` is below 1.
    """
    return _search(distribution, whole_number("size", size))


@jax.jit(static_argnums=1)
def _search(distribution: Tokens, size: int) -> Beams:
    leading, length = distribution.context.shape[:-1], distribution.length
    contexts = jnp.repeat(distribution.context.reshape(-1, distribution.context.shape[-1]), size, axis=0)
    num = len(contexts) // size

    def rows(leaf: Array, parents: Array) -> Array:
        """Take the parents' rows of an array with a row for each beam; leave others, such as counters, as they are."""
        if not leaf.ndim or len(leaf) != num * size:
            return leaf
        first = size * jnp.arange(num)[:, None]
        return leaf[(first + parents).reshape(-1)]

    def step(carry: Any, position: Array) -> tuple[Any, None]:
        state, logits, scores, tokens, ended = carry
        log_probs = jax.nn.log_softmax(distribution.without_padding(logits)).reshape(num, size, -1)
        only_padding = jnp.full(log_probs.shape[-1], -jnp.inf).at[distribution.padding].set(0.0)
        log_probs = jnp.where(ended[..., None], only_padding, log_probs)
        scores, best = jax.lax.top_k((scores[..., None] + log_probs).reshape(num, -1), size)
        parents, token = best // log_probs.shape[-1], (best % log_probs.shape[-1]).astype(jnp.int32)
        state = jax.tree.map(lambda leaf: rows(leaf, parents), state)
        tokens = jnp.take_along_axis(tokens, parents[..., None], axis=1).at[..., position].set(token)
        ended = jnp.take_along_axis(ended, parents, axis=1) | (token == distribution.end)
        state, logits = distribution.network(state, token.reshape(-1), contexts, method="step")
        return (state, logits, scores, tokens, ended), None

    state, logits = distribution.network(contexts, method="start")
    scores = jnp.full((num, size), -jnp.inf).at[:, 0].set(0.0)  # at first, all beams are the same one
    tokens = jnp.full((num, size, length), distribution.padding, jnp.int32)
    start = (state, logits, scores, tokens, jnp.zeros((num, size), bool))
    (_, _, scores, tokens, _), _ = jax.lax.scan(step, start, jnp.arange(length))
    return Beams(tokens.reshape(*leading, size, length), scores.reshape(*leading, size))
