"""Distribution of rows of tokens, each token given those before it: for text, melodies and other sequences."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from jaxvae import rng
from jaxvae.distributions.base import Support, at_least_float32, check_value, distribution, draw, static
from jaxvae.types import Array, Key


@distribution
class Tokens:
    """Autoregressive distribution of rows of T tokens, p(x) = prod_t p(x_t | x_1, ..., x_{t-1}, context).

    Tokens are predicted up to the first end mark; behind it is padding, which costs nothing. A row without an end mark
    is the beginning of a longer one, and its probability is that of all rows that begin so: the probabilities of all
    rows of T tokens sum to 1. Padding is never predicted. A row that is not of this form has probability 0.
    """

    support: ClassVar[Support] = "integers"
    network: Callable[..., Any]
    """Network with its parameters, a pytree. For V different tokens it has three methods:

        network(tokens [..., T], context) -> logits [..., T, V], where row t depends on the tokens before it alone
        network(context, method="start") -> state, logits [..., V] of the first token
        network(state, token [...], context, method="step") -> state, logits [..., V] of the next token
    """
    context: Array
    """`[..., C]`, the network's further input: for a likelihood, the decoder's outputs."""
    length: int = static(default=1)
    end: int = static(default=1)
    padding: int = static(default=0)
    event_ndim: int = static(default=1)
    seen: Array | None = None
    """`[..., T]` tokens that the network reads in `log_prob`, in place of the true ones; see `seeing`."""

    @property
    def point(self) -> Array:
        """Row `[..., T]` of the likeliest token at each step, which is not always the likeliest row."""
        return self._generate(lambda _, logits: logits.argmax(-1), jnp.arange(self.length))

    def sample(self, key: Key) -> Array:
        """Sample rows `[..., T]` token by token; noise depends on the key and the position alone."""

        def choose(key: Key, logits: Array) -> Array:
            return (logits + draw(jax.random.gumbel, key, logits.shape, logits.dtype)).argmax(-1)

        return self._generate(choose, rng.sample_keys(key, self.length))

    def log_prob(self, value: Array) -> Array:
        """Return `[...]` nats, with the true tokens as the network's input (teacher forcing)."""
        check_value(value, (*self.context.shape[:-1], self.length), 1)
        leading = jnp.broadcast_shapes(value.shape[:-1], self.context.shape[:-1])
        value = jnp.broadcast_to(value, (*leading, self.length))
        context = jnp.broadcast_to(self.context, (*leading, self.context.shape[-1]))
        seen = value if self.seen is None else jnp.broadcast_to(self.seen, value.shape)
        predicted = _log_prob(at_least_float32(self.network(seen.astype(jnp.int32), context)), value, self.padding)
        ends = (value == self.end).astype(jnp.int32)
        behind_end = jnp.cumsum(ends, axis=-1) > ends
        filled = jnp.where(value == self.padding, 0.0, -jnp.inf)
        return jnp.where(behind_end, filled, predicted).sum(-1)

    def seeing(self, tokens: Array) -> Tokens:
        """Return the distribution whose `log_prob` gives the network these tokens `[..., T]`, as word dropout does.

        The scored tokens are still those of the value. Samples are not changed.
        """
        return dataclasses.replace(self, seen=tokens)

    def without_padding(self, logits: Array) -> Array:
        """Return logits `[..., V]` in float32 or more, with which padding is never predicted."""
        is_padding = jnp.arange(logits.shape[-1]) == self.padding
        return jnp.where(is_padding, -jnp.inf, at_least_float32(logits))

    def _generate(self, choose: Callable[[Any, Array], Array], steps: Any) -> Array:
        def step(carry: Any, at: Any) -> tuple[Any, Array]:
            state, logits, ended = carry
            token = jnp.where(ended, self.padding, choose(at, self.without_padding(logits))).astype(jnp.int32)
            state, logits = self.network(state, token, self.context, method="step")
            return (state, logits, ended | (token == self.end)), token

        state, logits = self.network(self.context, method="start")
        nothing_ended = jnp.zeros(self.context.shape[:-1], bool)
        _, tokens = jax.lax.scan(step, (state, logits, nothing_ended), steps)
        return jnp.moveaxis(tokens, 0, -1)


def _log_prob(logits: Array, value: Array, padding: int) -> Array:
    """Return `[...]` log softmax(logits)[value], -inf where there is no such token; padding is never predicted."""
    num_tokens = logits.shape[-1]
    is_token = (value >= 0) & (value < num_tokens) & (value % 1 == 0) & (value != padding)
    token = jnp.where(is_token, value, 0).astype(jnp.int32)
    # Rows side by side: XLA's products of three axes take twice as long on CPU.
    rows = _log_softmax_at(logits.reshape(-1, num_tokens), token.reshape(-1), padding)
    return jnp.where(is_token, rows.reshape(value.shape), -jnp.inf)


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def _log_softmax_at(logits: Array, token: Array, padding: int) -> Array:
    """Return `[N]` log-probabilities of tokens `[N]` under logits `[N, V]`; the gradient is one pass over the logits.

    By autodiff the gradient would be a scatter and several passes, which are slow where there are 10,000 tokens.
    """
    return _log_softmax_forward(logits, token, padding)[0]


def _log_softmax_forward(logits: Array, token: Array, padding: int) -> tuple[Array, tuple[Array, Array, Array]]:
    there = jnp.arange(logits.shape[-1]) != padding
    most = jnp.where(there, logits, -jnp.inf).max(-1)
    # Where all are -inf, or one is inf, the differences would be NaN.
    shift = jnp.where(jnp.isfinite(most), most, 0.0)
    total = jnp.where(there, jnp.exp(logits - shift[:, None]), 0.0).sum(-1)
    log_total = jnp.log(total) + shift
    chosen = jnp.take_along_axis(logits, token[:, None], axis=-1)[:, 0]
    return chosen - log_total, (logits, token, log_total)


def _log_softmax_backward(padding: int, kept: tuple[Array, Array, Array], weight: Array) -> tuple[Array, None]:
    logits, token, log_total = kept
    numbers = jnp.arange(logits.shape[-1])
    probabilities = jnp.where(numbers != padding, jnp.exp(logits - log_total[:, None]), 0.0)
    return (jnp.where(token[:, None] == numbers, 1.0, 0.0) - probabilities) * weight[:, None], None


_log_softmax_at.defvjp(_log_softmax_forward, _log_softmax_backward)
