"""Likelihoods of tokens whose network reads a whole row: LSTM, Transformer, dilated convolutions, bars."""

from __future__ import annotations

import dataclasses
from typing import Any

from jaxvae.arguments import whole_number
from jaxvae.errors import InputError
from jaxvae.facts import Facts
from jaxvae.likelihoods.tokens import TokenLikelihood
from jaxvae.nets import Conductor, DilatedPredictor, HierarchicalPredictor, LSTMPredictor, TransformerPredictor
from jaxvae.nets.lstm import check_widths
from jaxvae.nets.transformer import check_sizes


@dataclasses.dataclass(frozen=True)
class LSTMTokens(TokenLikelihood):
    """Autoregressive distribution of tokens by an LSTM, which gets z at every step and in its first state."""

    hidden: tuple[int, ...] = (256,)
    """Widths of the LSTM layers."""
    embedding: int = 256
    """Dimensions of a token's vector."""

    def __post_init__(self) -> None:
        whole_number("embedding", self.embedding)
        check_widths(self.hidden)

    def network(self, facts: Facts, space: Any) -> LSTMPredictor:
        """Return the network."""
        return LSTMPredictor(space.size, self.hidden, self.embedding, facts.dtype)


@dataclasses.dataclass(frozen=True)
class TransformerTokens(TokenLikelihood):
    """Autoregressive distribution of tokens by a Transformer, which finds z in a slot before the row."""

    width: int = 256
    """Number of features of a token."""
    num_layers: int = 2
    """Number of layers."""
    num_heads: int = 4
    """Number of attention heads in a layer."""

    def __post_init__(self) -> None:
        check_sizes(self.width, self.num_layers, self.num_heads)

    def network(self, facts: Facts, space: Any) -> TransformerPredictor:
        """Return the network."""
        sizes = self.width, self.num_layers, self.num_heads
        return TransformerPredictor(space.size, space.length, *sizes, facts.dtype)


@dataclasses.dataclass(frozen=True)
class DilatedTokens(TokenLikelihood):
    """Autoregressive distribution of tokens by dilated convolutions, which read a limited number of tokens and z."""

    width: int = 256
    """Number of channels of the convolutions."""
    dilations: tuple[int, ...] = (1, 2, 4)
    """Distances between the three positions that each convolution reads; their sum d lets it see 1 + 2 d tokens."""
    embedding: int = 256
    """Dimensions of a token's vector."""

    def __post_init__(self) -> None:
        whole_number("embedding", self.embedding)
        if whole_number("width", self.width) % 2:
            raise InputError(f"width: must be even, got {self.width}; half of the channels are convolved")
        for dilation in self.dilations:
            whole_number("dilations", dilation)

    def network(self, facts: Facts, space: Any) -> DilatedPredictor:
        """Return the network."""
        return DilatedPredictor(space.size, self.width, self.dilations, self.embedding, facts.dtype)


@dataclasses.dataclass(frozen=True)
class HierarchicalTokens(TokenLikelihood):
    """Autoregressive distribution of tokens within each bar; a conductor makes a vector for each bar from z."""

    hidden: tuple[int, ...] = (256,)
    """Widths of the LSTM layers that write a bar."""
    embedding: int = 64
    """Dimensions of a token's vector."""
    conductor: int = 256
    """Width of the conductor, an LSTM over the bars."""
    steps_per_bar: int = 16
    """Number of tokens in a bar."""

    def __post_init__(self) -> None:
        for name in ("embedding", "conductor", "steps_per_bar"):
            whole_number(name, getattr(self, name))
        check_widths(self.hidden)

    def network(self, facts: Facts, space: Any) -> HierarchicalPredictor:
        """Return the network; the last bar may be shorter than the others."""
        num_bars = -(-space.length // self.steps_per_bar)
        cell = LSTMPredictor(space.size, self.hidden, self.embedding, facts.dtype)
        return HierarchicalPredictor(cell, Conductor(self.conductor, num_bars, facts.dtype), self.steps_per_bar)
