"""Likelihoods of counts whose means are shares of a total, given or latent; the decoder gives their logits."""

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
        shares = _of_shares(self.head, self.columns, params, outputs)
        return GivenTotal(shares, jnp.exp(params["likelihood"]["log_total"]))


@dataclasses.dataclass(frozen=True)
class LatentTotalHead:
    """Piece that scores x by another likelihood of counts with means l softmax(outputs), l a latent variable.

    The last of the outputs is log l, which `nets.PastDecoder` passes on.
    """

    head: Any
    """Function or piece from logarithms of means to a distribution with `of_total`."""
    columns: int
    """Number of counts of an example."""

    def init(self, key: Key, outputs: Array) -> Params:
        """Initialise the other likelihood."""
        return pieces.init("likelihood", self.head, key, outputs[..., :-1])

    def __call__(self, params: Params, outputs: Array) -> Any:
        """Return p(x|z, l) from logits of shares, what the other likelihood has behind them, and log l."""
        shares: Any = _of_shares(self.head, self.columns, params, outputs[..., :-1])
        return shares.of_total(jnp.exp(at_least_float32(outputs[..., -1])))


def _of_shares(head: Any, columns: int, params: Params, outputs: Array) -> Any:
    """Return the other likelihood of an example whose total is 1."""
    logits, rest = jnp.split(at_least_float32(outputs), [columns], axis=-1)
    return pieces.call("likelihood", head, params, jnp.concatenate([jax.nn.log_softmax(logits), rest], axis=-1))


def of_latent_total(head: Any, facts: Facts) -> LatentTotalHead:
    """Return a likelihood of counts as one of their latent total.

    Raises:
        InputError: the posterior has no library.
    """
    if not getattr(facts.posterior, "has_library", False):
        raise InputError("likelihood.latent-library: needs --posterior library and --prior library; give both")
    return LatentTotalHead(head, facts.space.shape[0])


def of_total(head: Any, facts: Facts) -> TotalHead:
    """Return a likelihood of counts as one given their total.

    Raises:
        InputError: examples are no vectors of counts.
    """
    if facts.space.kind != "counts" or len(facts.space.shape) != 1:
        raise InputError(f"likelihood: only vectors of counts have a total, got {facts.space.kind}; choose another")
    return TotalHead(head, facts.space.shape[0])
