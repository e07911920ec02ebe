"""Dilated causal convolutions over rows of tokens, which read a limited number of tokens before each."""

from __future__ import annotations

from typing import TypeAlias

import jax.numpy as jnp
from flax import linen as nn
from jax.typing import DTypeLike

from jaxvae.nets.network import Network
from jaxvae.types import Array

Buffers: TypeAlias = tuple[Array, ...]
"""Inputs of each convolution at the last positions, each `[..., 2 * dilation, F]`."""


class DilatedBlock(Network):
    """Dense layer, causal convolution of size 3 and dense layer, added to their input.

    The convolution is a dense layer on three positions: as fast in a loop over the tokens as outside of one.
    """

    width: int
    dilation: int
    dtype: DTypeLike | None = None

    def setup(self) -> None:
        """Make the layers."""
        self.inner, self.taps, self.outer = (
            nn.Dense(features, dtype=self.dtype) for features in (self.width // 2, self.width // 2, self.width)
        )

    def __call__(self, h: Array) -> Array:
        """Map `[..., T, W]` to `[..., T, W]`."""
        inner = self._inner(h)
        before, length = self.empty(inner.shape[:-2]), inner.shape[-2]
        padded = jnp.concatenate([before, inner], axis=-2)
        taps = [padded[..., shift : shift + length, :] for shift in (0, self.dilation, 2 * self.dilation)]
        return self._outer(h, taps)

    def step(self, h: Array, buffer: Array) -> tuple[Array, Array]:
        """Map one position `[..., W]`, and return the buffer after it too."""
        buffer = jnp.concatenate([buffer, self._inner(h)[..., None, :]], axis=-2)
        taps = [buffer[..., shift, :] for shift in (0, self.dilation, 2 * self.dilation)]
        return self._outer(h, taps), buffer[..., 1:, :]

    def empty(self, leading: tuple[int, ...]) -> Array:
        """Return the buffer before the first position."""
        return jnp.zeros((*leading, 2 * self.dilation, self.width // 2))

    def _inner(self, h: Array) -> Array:
        return self.inner(nn.relu(h)).astype(jnp.float32)

    def _outer(self, h: Array, taps: list[Array]) -> Array:
        return h + self.outer(nn.relu(self.taps(nn.relu(jnp.concatenate(taps, axis=-1))))).astype(jnp.float32)


class DilatedPredictor(Network):
    """Logits of each token from a limited number of tokens before it and a context z, which is read at every step.

    With dilations d it reads 1 + 2 sum d tokens.

    Reference: Yang et al. 2017, https://arxiv.org/abs/1702.08139, section 3.3.
    """

    num_tokens: int
    width: int = 256
    dilations: tuple[int, ...] = (1, 2, 4)
    embedding: int = 256
    dtype: DTypeLike | None = None
    """Floating-point type of the hidden layers; parameters and outputs are always float32."""

    def setup(self) -> None:
        """Make the layers; one more vector stands for the time before the first token."""
        self.embed = nn.Embed(self.num_tokens + 1, self.embedding)
        self.input = nn.Dense(self.width, dtype=self.dtype)
        self.blocks = [DilatedBlock(self.width, dilation, self.dtype) for dilation in self.dilations]
        self.output = nn.Dense(self.num_tokens, use_bias=False)

    def __call__(self, tokens: Array, context: Array) -> Array:
        """Map `[..., T]` tokens and `[..., C]` to `[..., T, V]` logits of each token given those before it."""
        tokens = jnp.clip(tokens, 0, self.num_tokens - 1)
        before = jnp.concatenate([jnp.full_like(tokens[..., :1], self.num_tokens), tokens[..., :-1]], axis=-1)
        h = self._input(before, context[..., None, :])
        for block in self.blocks:
            h = block(h)
        return self._logits(h)

    def start(self, context: Array) -> tuple[Buffers, Array]:
        """Return the state before the first token, empty buffers, and the first token's logits."""
        leading = context.shape[:-1]
        empty = tuple(block.empty(leading) for block in self.blocks)
        return self.step(empty, jnp.full(leading, self.num_tokens, jnp.int32), context)

    def step(self, state: Buffers, token: Array, context: Array) -> tuple[Buffers, Array]:
        """Return the state after one more token `[...]`, and the next token's logits `[..., V]`."""
        h, after = self._input(token, context), []
        for block, buffer in zip(self.blocks, state):
            h, buffer = block.step(h, buffer)
            after.append(buffer)
        return tuple(after), self._logits(h)

    def _input(self, tokens: Array, context: Array) -> Array:
        h = self.embed(tokens)
        context = jnp.broadcast_to(context, (*h.shape[:-1], context.shape[-1]))
        return self.input(jnp.concatenate([h, context], axis=-1)).astype(jnp.float32)

    def _logits(self, h: Array) -> Array:
        return self.output(nn.relu(h))
