"""Networks that read rows of tokens, and that predict each token from the few before it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, ClassVar

import jax.numpy as jnp
from flax import linen as nn
from jax.typing import DTypeLike

from jaxvae.arguments import look_up, whole_number
from jaxvae.errors import InputError
from jaxvae.facts import Facts
from jaxvae.nets.activations import ACTIVATIONS
from jaxvae.nets.mlp import MLPDecoder, hidden_layers, join
from jaxvae.nets.network import Network
from jaxvae.types import Array


class TokenEncoder(Network):
    """Features of each token, its neighbours and its position; their mean over the row; then dense layers."""

    num_tokens: int
    hidden: tuple[int, ...]
    num_outputs: int
    embedding: int = 64
    window: int = 3
    """Number of successive tokens that are read together."""
    padding: int = 0
    activation: Callable[[Array], Array] = nn.relu
    dtype: DTypeLike | None = None
    """Floating-point type of the hidden layers; parameters and outputs are always float32."""

    @nn.compact
    def __call__(self, x: Array, condition: Array | None = None) -> Array:
        """Map `[B, T]` tokens to `[B, num_outputs]`."""
        (*_, length), width = x.shape, self.hidden[0]
        tokens = jnp.clip(x.astype(jnp.int32), 0, self.num_tokens - 1)
        h = _embed_windows(windows(tokens, self.window, self.num_tokens, 1), self.num_tokens, self.embedding)
        positions = self.param("positions", nn.initializers.normal(0.1), (length, width), jnp.float32)
        h = self.activation(nn.Dense(width, dtype=self.dtype)(h) + positions)
        there = (tokens != self.padding)[..., None]
        mean = jnp.where(there, h, 0.0).sum(-2) / jnp.maximum(there.sum(-2), 1)
        h = hidden_layers(join(mean, condition), self.hidden[1:], self.activation, self.dtype)
        return nn.Dense(self.num_outputs, name="output")(h)


class TokenPredictor(Network):
    """Logits of each token from the `window` tokens before it and a context, by dense layers.

    It is a causal convolution. Written with dense layers, it is as fast in a loop over the tokens as outside of one.
    """

    num_tokens: int
    hidden: tuple[int, ...]
    embedding: int = 64
    window: int = 8
    """Number of tokens before the predicted one that are read."""
    activation: Callable[[Array], Array] = nn.relu
    dtype: DTypeLike | None = None
    """Floating-point type of the hidden layers; parameters and outputs are always float32."""

    def __call__(self, tokens: Array, context: Array) -> Array:
        """Map `[..., T]` tokens and `[..., C]` to `[..., T, V]` logits of each token given those before it."""
        tokens = jnp.clip(tokens, 0, self.num_tokens - 1)
        return self.logits(windows(tokens, self.window, self.num_tokens), context[..., None, :])

    def start(self, context: Array) -> tuple[Array, Array]:
        """Return the state before the first token, the tokens in the window, and the first token's logits."""
        state = jnp.full((*context.shape[:-1], self.window), self.num_tokens, jnp.int32)
        return state, self.logits(state, context)

    def step(self, state: Array, token: Array, context: Array) -> tuple[Array, Array]:
        """Return the state after one more token `[...]`, and the next token's logits `[..., V]`."""
        state = jnp.concatenate([state[..., 1:], token[..., None]], axis=-1)
        return state, self.logits(state, context)

    @nn.compact
    def logits(self, window: Array, context: Array) -> Array:
        """Map `[..., W]` tokens and `[..., C]` to `[..., V]` logits of the next token."""
        h = _embed_windows(window, self.num_tokens, self.embedding)
        context = jnp.broadcast_to(context, (*h.shape[:-1], context.shape[-1]))
        h = hidden_layers(jnp.concatenate([h, context], -1), self.hidden, self.activation, self.dtype)
        return nn.Dense(self.num_tokens, name="output")(h)


@dataclasses.dataclass(frozen=True)
class TokenMLP:
    """Dense layers on short windows of tokens, for text and other sequences."""

    hidden: tuple[int, ...] = (200,)
    """Widths of the dense hidden layers, from the data inwards; the decoder mirrors the encoder."""
    embedding: int = 64
    """Dimensions of a token's vector."""
    window: int = 3
    """Number of successive tokens that the encoder reads together."""
    activation: str = "relu"
    """Activation between the layers."""

    reads: ClassVar = "tokens"

    def __post_init__(self) -> None:
        for name in ("embedding", "window"):
            whole_number(name, getattr(self, name))

    def encoder(self, facts: Facts, num_outputs: int) -> TokenEncoder:
        """Build the encoder.

        Raises:
            InputError: examples are no tokens, or there is no hidden layer.
        """
        space = token_space("networks: tokens", facts)
        activation = look_up(ACTIVATIONS, "activation", self.activation)
        if not self.hidden:
            raise InputError("hidden: an encoder of tokens needs at least one hidden layer; give --hidden 200")
        sizes = space.size, self.hidden, num_outputs, self.embedding, self.window
        return TokenEncoder(*sizes, space.padding, activation, facts.dtype)

    def decoder(self, facts: Facts, shape: tuple[int, ...]) -> MLPDecoder:
        """Build the decoder, from z to the context of the likelihood."""
        activation = look_up(ACTIVATIONS, "activation", self.activation)
        return MLPDecoder(self.hidden[::-1], shape, activation, facts.dtype)


def token_space(who: str, facts: Facts) -> Any:
    """Return the space of the examples, which must be tokens.

    Args:
        who: words that begin the message.
        facts: facts of the data.

    Raises:
        InputError: examples are no tokens.
    """
    if not hasattr(facts.space, "padding"):
        raise InputError(f"{who} needs rows of tokens, got {type(facts.space).__name__}; give --preset vae")
    return facts.space


def windows(tokens: Array, size: int, fill: int, shift: int = 0) -> Array:
    """Return `[..., T, size]`: for each position the tokens before it or, shifted by 1, up to it.

    >>> windows(jnp.array([4, 5, 6]), 2, 9).tolist()
    [[9, 9], [9, 4], [4, 5]]
    """
    length = tokens.shape[-1]
    padded = jnp.concatenate([jnp.full((*tokens.shape[:-1], size), fill, tokens.dtype), tokens], axis=-1)
    return padded[..., jnp.arange(length)[:, None] + jnp.arange(size) + shift]


def _embed_windows(window: Array, num_tokens: int, features: int) -> Array:
    """Embed windows `[..., W]` to `[..., W * features]`; one more vector stands for the time before the first token."""
    return nn.Embed(num_tokens + 1, features)(window).reshape(*window.shape[:-1], -1)
