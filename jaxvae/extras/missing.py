"""Model of what is missing in a table, p(s|x), for values that are missing because of what they are."""

from __future__ import annotations

import dataclasses
from typing import Literal

import jax
import jax.numpy as jnp
from flax import linen as nn

from jaxvae.distributions import Bernoulli
from jaxvae.errors import InputError
from jaxvae.facts import Facts
from jaxvae.nets import MLPEncoder, pure
from jaxvae.types import Array, Key, Params, Value

Process = Literal["self_masking", "known_sign", "linear", "dense"]


@dataclasses.dataclass(frozen=True)
class SelfMasking:
    """Piece `(params, x) -> p(s|x)`: each value alone decides, logit p(s_d = 1) = -w_d (x_d - b_d), 1 if observed."""

    known_sign: bool
    """True where w_d is positive: large values are the ones that are missing."""

    def init(self, key: Key, x: dict[str, Array], z: Value) -> Params:
        """Start at weights and offsets of 0, where a half of all values is missing."""
        del key, z
        size = x["x"].shape[-1:]
        return {"weight": jnp.zeros(size, jnp.float32), "offset": jnp.zeros(size, jnp.float32)}

    def __call__(self, params: Params, x: Array) -> Bernoulli:
        """Return p(s|x) of rows `[..., D]` without holes."""
        own = params["missing"]
        weight = jax.nn.softplus(own["weight"]) if self.known_sign else own["weight"]
        return Bernoulli(-weight * (x - own["offset"]), event_ndim=1)


@dataclasses.dataclass(frozen=True)
class DenseMasking:
    """Piece `(params, x) -> p(s|x)`: all values of a row decide, through dense layers."""

    network: nn.Module

    def init(self, key: Key, x: dict[str, Array], z: Value) -> Params:
        """Initialise the parameters for rows `[B, D]`."""
        del z
        return pure.init("missing", self.network, key, x["x"], None)

    def __call__(self, params: Params, x: Array) -> Bernoulli:
        """Return p(s|x) of rows `[..., D]` without holes."""
        return Bernoulli(pure.apply("missing", self.network, params["missing"], x, None), event_ndim=1)


@dataclasses.dataclass(frozen=True)
class Missing:
    """Model of what is missing, given the whole row; categories enter by their numbers."""

    process: Process = "self_masking"
    """Each value alone (self_masking; known_sign if large ones are missing), or all of a row: linear, or dense."""
    hidden: tuple[int, ...] = (128,)
    """Widths of the dense hidden layers of the process dense."""

    def build(self, facts: Facts) -> SelfMasking | DenseMasking:
        """Return the piece.

        Raises:
            InputError: the data are no table.
        """
        if facts.space.kind != "table":
            raise InputError(f"missing: the examples are {facts.space.kind}, in which nothing is missing; give a table")
        if self.process in ("self_masking", "known_sign"):
            return SelfMasking(self.process == "known_sign")
        hidden = self.hidden if self.process == "dense" else ()
        return DenseMasking(MLPEncoder(hidden, facts.space.shape[0], nn.tanh, facts.dtype))
