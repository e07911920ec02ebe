"""LSTM networks of rows of tokens: an encoder that reads both ways, and a predictor that gets z at every step."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar, TypeAlias

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax.typing import DTypeLike

from jaxvae.arguments import whole_number
from jaxvae.errors import InputError
from jaxvae.facts import Facts
from jaxvae.nets.identity import identity_or_linear
from jaxvae.nets.mlp import join
from jaxvae.nets.network import Network
from jaxvae.nets.recurrence import State, cell, recur
from jaxvae.nets.tokens import token_space
from jaxvae.types import Array, Key

States: TypeAlias = tuple[State, ...]
"""State of each layer."""


class LSTMLayer(Network):
    """LSTM whose input product is one for all steps; the forget gates' bias begins at 1 (Jozefowicz et al. 2015)."""

    width: int
    dtype: DTypeLike | None = None

    def setup(self) -> None:
        """Make the layers of the input and of the output before."""
        self.inputs = nn.Dense(4 * self.width, dtype=self.dtype, bias_init=_forgetting)
        shape = self.width, 4 * self.width
        self.kernel = self.param("kernel", nn.initializers.orthogonal(), shape, jnp.float32)

    def __call__(self, x: Array, start: State, there: Array | None = None, *, reverse: bool = False) -> Array:
        """Map `[T, ..., F]` to outputs `[T, ..., H]`; see `recur`."""
        return self.run(_by_rows(self.inputs, x), start, there, reverse=reverse)

    def run(self, products: Array, start: State, there: Array | None = None, *, reverse: bool = False) -> Array:
        """Map `[T, ..., 4H]` products of inputs and weights to outputs `[T, ..., H]`."""
        return recur(products, self._cast(), start, there, reverse)

    def products(self, vectors: Array, tokens: Array, context: Array) -> Array:
        """Return the products `[T, ..., 4H]` of tokens' vectors beside a context, each multiplied but once.

        Args:
            vectors: `[V, E]` vectors of all tokens.
            tokens: `[T, ...]`.
            context: `[..., C]`, the same at every step.
        """
        weights: Any = self.inputs.variables["params"]
        vectors, context, kernel, bias = nn.dtypes.promote_dtype(
            vectors, context, weights["kernel"], weights["bias"], dtype=self.dtype
        )
        of_token, of_context = jnp.split(kernel, [vectors.shape[-1]])
        rest = context @ of_context + bias
        if len(vectors) > tokens.size:
            return (vectors[tokens.reshape(-1)] @ of_token).reshape(*tokens.shape, -1) + rest
        # The gradient of a gather would be a scatter, which is slower than this product.
        chosen = jax.nn.one_hot(tokens.reshape(-1), len(vectors), dtype=vectors.dtype)
        return (chosen @ (vectors @ of_token)).reshape(*tokens.shape, -1) + rest

    def step(self, x: Array, state: State) -> State:
        """Return the state after one more input `[..., F]`."""
        return cell(self.inputs(x), self._cast(), state)

    def _cast(self) -> Array:
        return self.kernel if self.dtype is None else self.kernel.astype(self.dtype)


class LSTMPredictor(Network):
    """Logits of each token from all tokens before it and a context z.

        x_t = [embedding(w_{t-1}); z],    c_0 = W z,    h_0 = tanh(c_0),    logits_t = V h_t

    Layers above the first read the outputs of the layer below, and begin with a W of their own.

    Reference: Bowman et al. 2016, https://arxiv.org/abs/1511.06349; the form is that of He et al. 2019,
    https://arxiv.org/abs/1901.05534.
    """

    num_tokens: int
    hidden: tuple[int, ...]
    embedding: int = 256
    dtype: DTypeLike | None = None
    """Floating-point type of the products; cells, parameters and outputs are always float32."""

    def setup(self) -> None:
        """Make the layers; one more vector stands for the time before the first token."""
        self.embed = nn.Embed(self.num_tokens + 1, self.embedding)
        self.layers = [LSTMLayer(width, self.dtype) for width in self.hidden]
        self.starts = [nn.Dense(width, use_bias=False) for width in self.hidden]
        self.output = nn.Dense(self.num_tokens, use_bias=False)

    def __call__(self, tokens: Array, context: Array) -> Array:
        """Map `[..., T]` tokens and `[..., C]` to `[..., T, V]` logits of each token given those before it."""
        before = jnp.moveaxis(jnp.clip(tokens, 0, self.num_tokens - 1), -1, 0)
        before = jnp.concatenate([jnp.full_like(before[:1], self.num_tokens), before[:-1]])
        first, *others = self.layers
        state, *states = self.begin(context)
        if self.is_initializing():
            h = first(self._inputs(before, context), state)
        else:
            h = first.run(first.products(self.embed.embedding, before, context), state)
        for layer, state in zip(others, states):
            h = layer(h, state)
        return self._logits(jnp.moveaxis(h, 0, -2))

    def begin(self, context: Array) -> States:
        """Return the state before the time before the first token."""
        cells = [start(context) for start in self.starts]
        return tuple((jnp.tanh(c), c) for c in cells)

    def start(self, context: Array) -> tuple[States, Array]:
        """Return the state before the first token, and the first token's logits."""
        beginning = jnp.full(context.shape[:-1], self.num_tokens, jnp.int32)
        return self.step(self.begin(context), beginning, context)

    def step(self, state: States, token: Array, context: Array) -> tuple[States, Array]:
        """Return the state after one more token `[...]`, and the next token's logits `[..., V]`."""
        h, after = self._inputs(token, context), []
        for layer, before in zip(self.layers, state):
            after.append(layer.step(h, before))
            h, _ = after[-1]
        return tuple(after), self._logits(h)

    def _inputs(self, tokens: Array, context: Array) -> Array:
        h = self.embed(tokens)
        return jnp.concatenate([h, jnp.broadcast_to(context, (*h.shape[:-1], context.shape[-1]))], axis=-1)

    def _logits(self, h: Array) -> Array:
        return _by_rows(self.output, h)


class LSTMEncoder(Network):
    """LSTMs that read a row in both directions; their last states, then a dense layer. Padding changes nothing."""

    num_tokens: int
    hidden: tuple[int, ...]
    num_outputs: int
    embedding: int = 256
    padding: int = 0
    dtype: DTypeLike | None = None
    """Floating-point type of the products; cells, parameters and outputs are always float32."""

    @nn.compact
    def __call__(self, x: Array, condition: Array | None = None) -> Array:
        """Map `[B, T]` tokens to `[B, num_outputs]`."""
        tokens = jnp.clip(x.astype(jnp.int32), 0, self.num_tokens - 1).T
        there = (tokens != self.padding)[..., None]
        embed = nn.Embed(self.num_tokens, self.embedding)
        h = embed(tokens)
        last = h[:1]
        for number, width in enumerate(self.hidden):
            start = (jnp.zeros((x.shape[0], width)),) * 2
            layers = [LSTMLayer(width, self.dtype, name=f"{way}_{number}") for way in ("forward", "backward")]
            if number or self.is_initializing() or self.num_tokens > self.embedding:
                forward, backward = (layer(h, start, there, reverse=way > 0) for way, layer in enumerate(layers))
            else:  # one product for each token of the vocabulary, and not for each of the rows
                nothing = jnp.zeros((x.shape[0], 0))
                forward, backward = (
                    layer.run(layer.products(embed.embedding, tokens, nothing), start, there, reverse=way > 0)
                    for way, layer in enumerate(layers)
                )
            h = jnp.concatenate([forward, backward], axis=-1)
            last = jnp.concatenate([forward[-1], backward[0]], axis=-1)
        return nn.Dense(self.num_outputs, name="output")(join(last, condition))


@dataclasses.dataclass(frozen=True)
class TokenLSTM:
    """LSTMs that read rows of tokens in both directions; the decoder hands z on to the likelihood.

    Reference: Bowman et al. 2016, https://arxiv.org/abs/1511.06349; Roberts et al. 2018,
    https://arxiv.org/abs/1803.05428 (both directions).
    """

    hidden: tuple[int, ...] = (256,)
    """Widths of the LSTM layers, from the data inwards; each is that of one direction."""
    embedding: int = 256
    """Dimensions of a token's vector."""

    reads: ClassVar = "tokens"

    def __post_init__(self) -> None:
        whole_number("embedding", self.embedding)
        check_widths(self.hidden)

    def encoder(self, facts: Facts, num_outputs: int) -> LSTMEncoder:
        """Build the encoder.

        Raises:
            InputError: examples are no tokens.
        """
        space = token_space("networks: lstm", facts)
        return LSTMEncoder(space.size, self.hidden, num_outputs, self.embedding, space.padding, facts.dtype)

    def decoder(self, facts: Facts, shape: tuple[int, ...]) -> nn.Module:
        """Build the decoder, from z to the context of the likelihood."""
        return identity_or_linear(facts, shape)


def _by_rows(layer: nn.Dense, x: Array) -> Array:
    """Apply a layer to `[..., F]` as one product of two axes: of three it takes twice as long on CPU."""
    return layer(x.reshape(-1, x.shape[-1])).reshape(*x.shape[:-1], layer.features)


def check_widths(hidden: tuple[int, ...]) -> None:
    """Refuse a network without layers, or with empty ones.

    Raises:
        InputError: there is no layer, or a width is below 1.
    """
    if not hidden:
        raise InputError("hidden: an LSTM needs at least one layer; give its width, such as 256")
    for width in hidden:
        whole_number("hidden", width)


def _forgetting(key: Key, shape: tuple[int, ...], dtype: DTypeLike = jnp.float32) -> Array:
    """Return biases that are 1 for the forget gates, the second quarter, and 0 for the others."""
    del key
    return jnp.zeros(shape, dtype).at[shape[0] // 4 : shape[0] // 2].set(1.0)
