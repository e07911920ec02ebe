"""Likelihood of rows of tokens: the decoder's output is the context of a network that predicts each next token."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import jax.numpy as jnp
from flax import linen as nn

from jaxvae.arguments import whole_number
from jaxvae.distributions import Tokens
from jaxvae.errors import InputError
from jaxvae.facts import Facts
from jaxvae.likelihoods.options import Likelihood
from jaxvae.nets import Bound, TokenPredictor
from jaxvae.types import Array, Key, Params


@dataclasses.dataclass(frozen=True)
class TokenLikelihood(Likelihood):
    """Base of the options of likelihoods of tokens: each names the network that predicts the next token."""

    support: ClassVar = "tokens"

    def link(self, mean: Array) -> None:
        """Return None: the decoder's output is no mean."""
        del mean

    def decoder_shape(self, facts: Facts) -> tuple[int, ...]:
        """Return the shape of the context, that of z."""
        return (facts.latent_dim,)

    def network(self, facts: Facts, space: Any) -> nn.Module:
        """Return the network for rows of a space of tokens; see `distributions.Tokens`."""
        raise NotImplementedError

    def build(self, facts: Facts) -> Autoregressive:
        """Return the piece.

        Raises:
            InputError: examples are no tokens.
        """
        space: Any = facts.space
        if not hasattr(space, "padding"):
            raise InputError(f"likelihood: tokens scores rows of tokens, got {type(space).__name__}; choose another")
        return Autoregressive(self.network(facts, space), space.length, space.end, space.padding)


@dataclasses.dataclass(frozen=True)
class WindowedTokens(TokenLikelihood):
    """Autoregressive distribution of tokens, each given z and the few tokens before it."""

    window: int = 8
    """Number of tokens before the predicted one that are read."""
    embedding: int = 64
    """Dimensions of a token's vector."""
    hidden: tuple[int, ...] = (200,)
    """Widths of the dense hidden layers."""
    context: int = 64
    """Number of values that the decoder hands on, for every token of a row."""

    def __post_init__(self) -> None:
        for name in ("window", "embedding", "context"):
            whole_number(name, getattr(self, name))

    def decoder_shape(self, facts: Facts) -> tuple[int, ...]:
        """Return the shape of the context."""
        del facts
        return (self.context,)

    def network(self, facts: Facts, space: Any) -> TokenPredictor:
        """Return the network."""
        return TokenPredictor(space.size, self.hidden, self.embedding, self.window, facts.activation, facts.dtype)


@dataclasses.dataclass(frozen=True)
class Autoregressive:
    """Likelihood of tokens with any network that predicts the next one; see `distributions.Tokens`."""

    network: nn.Module
    length: int
    """Number of tokens in a row."""
    end: int = 1
    padding: int = 0

    def init(self, key: Key, outputs: Array) -> Params:
        """Initialise the network for the decoder's outputs `[B, C]`."""
        rows = jnp.full((outputs.shape[0], self.length), self.padding, jnp.int32)
        return self.network.init(key, rows, outputs)["params"]

    def __call__(self, params: Params, outputs: Array) -> Tokens:
        """Return p(x|z) over rows of tokens."""
        return Tokens(Bound(params["likelihood"], self.network), outputs, self.length, self.end, self.padding)
