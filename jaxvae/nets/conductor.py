"""Hierarchical predictor of tokens: a conductor makes a vector for each bar, and a cell writes each bar alone."""

from __future__ import annotations

from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax.typing import DTypeLike

from jaxvae.nets.lstm import LSTMLayer, LSTMPredictor, States
from jaxvae.nets.network import Network
from jaxvae.types import Array

BarState: TypeAlias = tuple[Array, Array, States]
"""Vectors of all bars, position in the row, and the cell's state."""


class Conductor(Network):
    """LSTM over the bars, with z at every bar and in the first state; its outputs are the bars' vectors."""

    width: int
    num_bars: int
    dtype: DTypeLike | None = None
    """Floating-point type of the products; cells, parameters and outputs are always float32."""

    @nn.compact
    def __call__(self, context: Array) -> Array:
        """Map `[..., C]` to `[..., N, width]`."""
        c = nn.Dense(self.width, use_bias=False, name="start")(context)
        every_bar = jnp.broadcast_to(context, (self.num_bars, *context.shape))
        bars = LSTMLayer(self.width, self.dtype, name="bars")(every_bar, (jnp.tanh(c), c))
        return jnp.moveaxis(bars, 0, -2)


class HierarchicalPredictor(Network):
    """Logits of each token from its bar's vector and the tokens before it in its bar.

    No state of the notes crosses a bar: the cell begins each bar anew, and does not read the last token of the one
    before. All that bars share goes through the conductor, and so through z.

    Reference: Roberts et al. 2018, https://arxiv.org/abs/1803.05428, section 3.2.
    """

    cell: LSTMPredictor
    """Predictor of the tokens of a bar, with the bar's vector as context."""
    conductor: nn.Module
    """Network from the context `[..., C]` to the vectors of the bars `[..., N, F]`."""
    steps_per_bar: int = 16

    def __call__(self, tokens: Array, context: Array) -> Array:
        """Map `[..., T]` tokens and `[..., C]` to `[..., T, V]` logits of each token given those before it."""
        bars = self.conductor(context)
        *leading, length = tokens.shape
        whole = bars.shape[-2] * self.steps_per_bar
        filled = jnp.pad(tokens, [*[(0, 0)] * len(leading), (0, whole - length)])
        logits = self.cell(filled.reshape(*leading, -1, self.steps_per_bar), bars)
        return logits.reshape(*leading, whole, -1)[..., :length, :]

    def start(self, context: Array) -> tuple[BarState, Array]:
        """Return the state before the first token, and the first token's logits."""
        bars = self.conductor(context)
        state, logits = self.cell.start(bars[..., 0, :])
        return (bars, jnp.int32(0), state), logits

    def step(self, state: BarState, token: Array, context: Array) -> tuple[BarState, Array]:
        """Return the state after one more token `[...]`, and the next token's logits `[..., V]`."""
        del context
        bars, position, within = state
        position = position + 1
        bar = jnp.take(bars, position // self.steps_per_bar, axis=-2, mode="clip")
        is_new = position % self.steps_per_bar == 0

        def choose(new: Any, old: Any) -> Any:
            return jax.tree.map(lambda *both: jnp.where(is_new, *both), new, old)

        within = choose(self.cell.begin(bar), within)
        within, logits = self.cell.step(within, choose(self.cell.num_tokens, token), bar)
        return (bars, position, within), logits
