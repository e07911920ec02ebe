"""Causal Transformer of rows of tokens, with z in a slot before them, and a Transformer that reads a row."""

from __future__ import annotations

import dataclasses
import functools
from typing import ClassVar, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from jax.typing import DTypeLike

from jaxvae.arguments import whole_number
from jaxvae.errors import InputError
from jaxvae.facts import Facts
from jaxvae.nets.identity import identity_or_linear
from jaxvae.nets.mlp import join
from jaxvae.nets.network import Network
from jaxvae.nets.tokens import token_space
from jaxvae.types import Array


class Cache(NamedTuple):
    """Keys and values of the positions so far, each `[..., T, heads, features]`."""

    keys: Array
    values: Array


CacheState: TypeAlias = tuple[Array, tuple[Cache, ...]]
"""Number of positions so far, and the cache of each layer."""


class Block(Network):
    """Self-attention and two dense layers, each on normalised inputs and added to them (pre-norm).

    Reference: Vaswani et al. 2017, https://arxiv.org/abs/1706.03762; Xiong et al. 2020,
    https://arxiv.org/abs/2002.04745 (pre-norm).
    """

    num_heads: int
    dtype: DTypeLike | None = None
    """Floating-point type of the products; parameters and outputs are always float32."""

    @nn.compact
    def __call__(
        self, h: Array, mask: Array, cache: Cache | None = None, position: Array | int = 0
    ) -> tuple[Array, Cache]:
        """Map `[..., Q, W]` to `[..., Q, W]`, and return the keys and values that were read too.

        Args:
            h: inputs of Q positions.
            mask: `[..., Q, K]`, True where a position reads another.
            cache: keys and values of K positions; those of the inputs replace the ones from `position` on.
            position: position of the first input in the cache.
        """
        width = h.shape[-1]
        heads = (*h.shape[:-1], self.num_heads, width // self.num_heads)
        parts = nn.Dense(3 * width, dtype=self.dtype, name="attention")(nn.LayerNorm()(h))
        query, keys, values = (part.reshape(heads) for part in jnp.split(parts.astype(jnp.float32), 3, axis=-1))
        read = Cache(keys, values)
        if cache is not None:
            update = functools.partial(jax.lax.dynamic_update_slice_in_dim, start_index=position, axis=-3)
            read = jax.tree.map(update, cache, read)
        joined = attend(query, read, mask).reshape(h.shape)
        h = h + nn.Dense(width, dtype=self.dtype, name="heads")(joined)
        inner = nn.gelu(nn.Dense(4 * width, dtype=self.dtype, name="inner")(nn.LayerNorm()(h)))
        return h + nn.Dense(width, dtype=self.dtype, name="outer")(inner), read


class TransformerPredictor(Network):
    """Logits of each token from all tokens before it and a context z, which has a slot of its own before the row.

    The state of `step` holds the keys and values of all positions so far, so that a step costs one position.

    Reference: Li et al. 2020, https://arxiv.org/abs/2004.04092, section 3.2 (z as memory).
    """

    num_tokens: int
    length: int
    """Largest number of tokens in a row."""
    width: int = 256
    num_layers: int = 2
    num_heads: int = 4
    dtype: DTypeLike | None = None
    """Floating-point type of the products; parameters and outputs are always float32."""

    def setup(self) -> None:
        """Make the layers."""
        self.embed = nn.Embed(self.num_tokens, self.width)
        self.slot = nn.Dense(self.width)
        self.blocks = [Block(self.num_heads, self.dtype) for _ in range(self.num_layers)]
        self.norm = nn.LayerNorm()
        self.output = nn.Dense(self.num_tokens, use_bias=False)

    def __call__(self, tokens: Array, context: Array) -> Array:
        """Map `[..., T]` tokens and `[..., C]` to `[..., T, V]` logits of each token given those before it."""
        before = self._embed(tokens[..., :-1])
        slot = jnp.broadcast_to(self.slot(context)[..., None, :], (*before.shape[:-2], 1, self.width))
        h = jnp.concatenate([slot, before], axis=-2) + positions(self.length + 1, self.width)[: tokens.shape[-1]]
        causal = jnp.tril(jnp.ones((tokens.shape[-1],) * 2, bool))
        for block in self.blocks:
            h, _ = block(h, causal)
        return self._logits(h)

    def start(self, context: Array) -> tuple[CacheState, Array]:
        """Return the state before the first token, a position and a cache, and the first token's logits."""
        empty = jnp.zeros((*context.shape[:-1], self.length + 1, self.num_heads, self.width // self.num_heads))
        return self._advance((jnp.int32(0), (Cache(empty, empty),) * self.num_layers), self.slot(context))

    def step(self, state: CacheState, token: Array, context: Array) -> tuple[CacheState, Array]:
        """Return the state after one more token `[...]`, and the next token's logits `[..., V]`."""
        del context
        return self._advance(state, self._embed(token))

    def _advance(self, state: CacheState, h: Array) -> tuple[CacheState, Array]:
        position, caches = state
        h = (h + positions(self.length + 1, self.width)[position])[..., None, :]
        so_far = (jnp.arange(self.length + 1) <= position)[None]
        after = []
        for block, cache in zip(self.blocks, caches):
            h, cache = block(h, so_far, cache, position)
            after.append(cache)
        return (position + 1, tuple(after)), self._logits(h[..., 0, :])

    def _embed(self, tokens: Array) -> Array:
        return self.embed(jnp.clip(tokens, 0, self.num_tokens - 1))

    def _logits(self, h: Array) -> Array:
        return self.output(self.norm(h))


class TransformerEncoder(Network):
    """Transformer over a row, the mean of its outputs over the tokens, and a dense layer. Padding changes nothing."""

    num_tokens: int
    num_outputs: int
    width: int = 256
    num_layers: int = 2
    num_heads: int = 4
    padding: int = 0
    dtype: DTypeLike | None = None
    """Floating-point type of the products; parameters and outputs are always float32."""

    @nn.compact
    def __call__(self, x: Array, condition: Array | None = None) -> Array:
        """Map `[B, T]` tokens to `[B, num_outputs]`."""
        tokens = jnp.clip(x.astype(jnp.int32), 0, self.num_tokens - 1)
        there = tokens != self.padding
        h = nn.Embed(self.num_tokens, self.width)(tokens) + positions(tokens.shape[-1], self.width)
        for _ in range(self.num_layers):
            h, _ = Block(self.num_heads, self.dtype)(h, there[..., None, :])
        total = jnp.where(there[..., None], nn.LayerNorm()(h), 0.0).sum(-2)
        mean = total / jnp.maximum(there.sum(-1, keepdims=True), 1)
        return nn.Dense(self.num_outputs, name="output")(join(mean, condition))


@dataclasses.dataclass(frozen=True)
class TokenTransformer:
    """Transformer that reads rows of tokens; the decoder hands z on to the likelihood."""

    width: int = 256
    """Number of features of a token."""
    num_layers: int = 2
    """Number of layers."""
    num_heads: int = 4
    """Number of attention heads in a layer."""

    reads: ClassVar = "tokens"

    def __post_init__(self) -> None:
        check_sizes(self.width, self.num_layers, self.num_heads)

    def encoder(self, facts: Facts, num_outputs: int) -> TransformerEncoder:
        """Build the encoder.

        Raises:
            InputError: examples are no tokens.
        """
        space = token_space("networks: transformer", facts)
        sizes = self.width, self.num_layers, self.num_heads
        return TransformerEncoder(space.size, num_outputs, *sizes, space.padding, facts.dtype)

    def decoder(self, facts: Facts, shape: tuple[int, ...]) -> nn.Module:
        """Build the decoder, from z to the context of the likelihood."""
        return identity_or_linear(facts, shape)


def check_sizes(width: int, num_layers: int, num_heads: int) -> None:
    """Refuse sizes below 1, and a width that the heads do not divide.

    Raises:
        InputError: there is one.
    """
    for name, value in {"width": width, "num_layers": num_layers, "num_heads": num_heads}.items():
        whole_number(name, value)
    if width % (2 * num_heads):
        raise InputError(f"width: {width} features for {num_heads} heads; give a multiple of {2 * num_heads}")


def attend(query: Array, read: Cache, mask: Array) -> Array:
    """Return softmax(q k / sqrt(d)) v, from `[..., Q, heads, d]` and `[..., K, heads, d]` to `[..., Q, heads, d]`."""
    scores = jnp.einsum("...qhd,...khd->...hqk", query, read.keys) / np.sqrt(query.shape[-1])
    weights = jax.nn.softmax(jnp.where(mask[..., None, :, :], scores, -1e30))
    return jnp.einsum("...hqk,...khd->...qhd", weights, read.values)


def positions(length: int, width: int) -> Array:
    """Return `[T, W]` sines and cosines of the positions (Vaswani et al. 2017), scaled as embeddings are."""
    rates = np.exp(-np.log(10_000) * np.arange(0, width, 2) / width)
    angles = np.arange(length)[:, None] * rates
    return jnp.asarray(np.concatenate([np.sin(angles), np.cos(angles)], axis=1) / np.sqrt(width), jnp.float32)
