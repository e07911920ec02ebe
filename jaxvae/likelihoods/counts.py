"""Likelihoods of counts: the decoder's outputs are logarithms of means, or of shares of a total."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import jax.numpy as jnp
from flax import linen as nn

from jaxvae.distributions import Multinomial, NegativeBinomial, Poisson
from jaxvae.distributions.base import at_least_float32, halves
from jaxvae.facts import Facts
from jaxvae.likelihoods.options import Likelihood
from jaxvae.likelihoods.total import of_latent_total, of_total
from jaxvae.nets.library import PastDecoder
from jaxvae.types import Array, Key, Params


def poisson(outputs: Array) -> Poisson:
    """Return the Poisson distribution with these logarithms of rates."""
    return Poisson(outputs, event_ndim=outputs.ndim - 1)


def multinomial(outputs: Array) -> Multinomial:
    """Return the multinomial distribution of one draw with these logits."""
    return Multinomial(outputs, jnp.ones(()))


@dataclasses.dataclass(frozen=True)
class PoissonCounts(Likelihood):
    """Poisson distribution of counts, whose variance is the mean."""

    library: bool = False
    """Make means of the example's total, the size of a cell's library: the decoder gives the shares of the columns."""
    latent_library: bool = False
    """Make that size a latent variable in place of a given one, for --posterior library and --prior library."""

    support: ClassVar = "counts"

    def link(self, mean: Array) -> Array:
        """Return logarithms."""
        return _log(mean)

    def wrap(self, decoder: nn.Module) -> nn.Module:
        """Return the decoder, past which the size of a latent library goes."""
        return PastDecoder(decoder) if self.latent_library else decoder

    def build(self, facts: Facts) -> Any:
        """Return the head, or the piece that also has the totals of examples."""
        return _of_library(self, poisson, facts)


@dataclasses.dataclass(frozen=True)
class NegativeBinomialCounts(Likelihood):
    """Negative binomial distribution of counts, whose variance exceeds the mean, as in scVI."""

    zero_inflated: bool = False
    """Add zeros, with a probability from the decoder for each count."""
    library: bool = False
    """Make means of the example's total, the size of a cell's library: the decoder gives the shares of the columns."""
    latent_library: bool = False
    """Make that size a latent variable in place of a given one, for --posterior library and --prior library."""

    support: ClassVar = "counts"

    def link(self, mean: Array) -> Array:
        """Return logarithms."""
        return _log(mean)

    def decoder_shape(self, facts: Facts) -> tuple[int, ...]:
        """Return the shape of log-means and, where zero-inflated, of logits behind them along the last axis."""
        *rest, channels = facts.space.shape
        return (*rest, 2 * channels if self.zero_inflated else channels)

    def wrap(self, decoder: nn.Module) -> nn.Module:
        """Return the decoder, past which the size of a latent library goes."""
        return PastDecoder(decoder) if self.latent_library else decoder

    def build(self, facts: Facts) -> Any:
        """Return the piece."""
        head = NegativeBinomialHead(facts.space.shape, self.zero_inflated)
        return _of_library(self, head, facts)


@dataclasses.dataclass(frozen=True)
class MultinomialCounts(Likelihood):
    """Multinomial distribution of counts given their total, as of the words of a document in a topic model."""

    support: ClassVar = "counts"

    def link(self, mean: Array) -> Array:
        """Return logarithms."""
        return _log(mean)

    def build(self, facts: Facts) -> Any:
        """Return the piece."""
        return of_total(multinomial, facts)


@dataclasses.dataclass(frozen=True)
class NegativeBinomialHead:
    """Negative binomial likelihood with one learned inverse dispersion for each column, the same for all examples."""

    shape: tuple[int, ...]
    """Shape of one example."""
    zero_inflated: bool = False

    def init(self, key: Key, outputs: Array) -> Params:
        """Start at an inverse dispersion of 1 in all columns."""
        del key, outputs
        return {"log_inverse_dispersion": jnp.zeros(self.shape, jnp.float32)}

    def __call__(self, params: Params, outputs: Array) -> NegativeBinomial:
        """Return p(x|z) from log-means `[B, ...]`, and logits of additional zeros behind them where zero-inflated."""
        log_mean, zero_logits = halves(outputs) if self.zero_inflated else (outputs, None)
        dispersion = params["likelihood"]["log_inverse_dispersion"]
        return NegativeBinomial(
            log_mean, jnp.broadcast_to(dispersion, log_mean.shape), zero_logits, event_ndim=log_mean.ndim - 1
        )


def _of_library(options: PoissonCounts | NegativeBinomialCounts, head: Any, facts: Facts) -> Any:
    """Return a likelihood of shares of the library that the options ask for, given or latent, else the same one."""
    if options.latent_library:
        return of_latent_total(head, facts)
    return of_total(head, facts) if options.library else head


def _log(mean: Array) -> Array:
    # A count that is always 0 in training may be 1 in the test set: keep its logarithm finite.
    return jnp.log(jnp.maximum(at_least_float32(mean), 0.001))
