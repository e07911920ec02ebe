"""Learned prior of a condition, p(z|c)."""

from __future__ import annotations

import dataclasses

from flax import linen as nn

from jaxvae.arguments import whole_number
from jaxvae.distributions import Normal
from jaxvae.distributions.base import halves
from jaxvae.errors import InputError
from jaxvae.facts import Facts
from jaxvae.nets import MLPEncoder, pure
from jaxvae.types import Array, Key, Params


@dataclasses.dataclass(frozen=True)
class ConditionalNormal:
    """Diagonal normal whose mean and variance are a network's functions of the condition.

    Reference: Sohn, Lee & Yan 2015, https://papers.nips.cc/paper/5775, equation 4.
    """

    network: nn.Module

    def init(self, key: Key, x: Array, condition: Array | None = None) -> Params:
        """Initialise the network for conditions `[B, ...]`."""
        del x
        return pure.init("prior", self.network, key, _given(condition), None)

    def __call__(self, params: Params, condition: Array | None = None) -> Normal:
        """Return p(z|c), with a batch axis."""
        return Normal(*halves(pure.apply("prior", self.network, params["prior"], _given(condition), None)))


def _given(condition: Array | None) -> Array:
    if condition is None:
        raise InputError("prior: conditional needs a condition; give --condition label, or another prior")
    return condition


@dataclasses.dataclass(frozen=True)
class Conditional:
    """Normal with a mean and a variance that a network makes of the condition (Sohn et al. 2015)."""

    hidden: tuple[int, ...] = (100,)
    """Widths of the network's dense hidden layers."""

    def __post_init__(self) -> None:
        for width in self.hidden:
            whole_number("hidden", width)

    def build(self, facts: Facts) -> ConditionalNormal:
        """Return the prior.

        Raises:
            InputError: there is no condition, or the posterior has several layers.
        """
        if facts.condition_space is None:
            _given(None)
        if isinstance(facts.latent, tuple):
            raise InputError(f"prior: conditional has one layer, the posterior {len(facts.latent)}; choose another")
        return ConditionalNormal(MLPEncoder(self.hidden, 2 * facts.latent_dim, facts.activation, facts.dtype))
