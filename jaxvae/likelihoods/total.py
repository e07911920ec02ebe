"""Likelihood of counts given their total: means are shares of it, and the decoder gives their logits."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from jaxvae import pieces
from jaxvae.distributions import GivenTotal
from jaxvae.distributions.base import at_least_float32
from jaxvae.errors import InputError
from jaxvae.facts import Facts
from jaxvae.types import FROZEN, GRADIENT, Array, Key, Params


@dataclasses.dataclass(frozen=True)
class TotalHead:
    """Piece that scores x by another likelihood of counts with means n softmax(outputs), n the total of x.

    Samples and means have the median total of the training examples, a frozen parameter: there is no x of theirs.
    """

    head: Any
    """Function or piece from logarithms of means to a distribution with `of_total`."""
    columns: int
    """Number of counts of an example."""

    begins_as_data: ClassVar[bool] = True

    def init(self, key: Key, outputs: Array, x: Array) -> Params:
        """Initialise the other likelihood, and take the median total of examples `[B, D]`."""
        median = jnp.median(at_least_float32(x).sum(-1))
        own = pieces.init("likelihood", self.head, key, outputs)
        return {**own, "log_total": jnp.log(jnp.maximum(median, 1.0)).astype(jnp.float32)}

    def labels(self, own: Params) -> dict[str, str]:
        """Return `frozen` for the total, because it describes the data."""
        return {name: FROZEN if name == "log_total" else GRADIENT for name in own}

    def __call__(self, params: Params, outputs: Array) -> GivenTotal:
        """Return p(x|z, n) from logits of shares `[B, D]`, and what the other likelihood has behind them."""
        logits, rest = jnp.split(at_least_float32(outputs), [self.columns], axis=-1)
        outputs = jnp.concatenate([jax.nn.log_softmax(logits), rest], axis=-1)
        shares = pieces.call("likelihood", self.head, params, outputs)
        return GivenTotal(shares, jnp.exp(params["likelihood"]["log_total"]))


def of_total(head: Any, facts: Facts) -> TotalHead:
    """Return a likelihood of counts as one given their total.

    Raises:
        InputError: examples are no vectors of counts.
    """
    if facts.space.kind != "counts" or len(facts.space.shape) != 1:
        raise InputError(f"likelihood: only vectors of counts have a total, got {facts.space.kind}; choose another")
    return TotalHead(head, facts.space.shape[0])
