"""Base of the options of likelihoods."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar, Literal

from flax import linen as nn

from jaxvae.facts import Facts
from jaxvae.types import Array


@dataclasses.dataclass(frozen=True)
class Likelihood:
    """Options of a likelihood: its requirements of the data and of the decoder, and the piece that it builds."""

    support: ClassVar[Literal["binary", "unit", "real", "counts", "tokens", "table"]] = "real"
    """Values that it can score: {0, 1}, [0, 1], real numbers, whole numbers from 0, or those of one kind of space."""

    of_bytes: ClassVar[bool] = False
    """True where it scores the 256 levels of pixels that are stored as bytes."""

    def link(self, mean: Array) -> Array | None:
        """Return the decoder outputs whose distribution has this mean, for the initial output bias; None for none."""
        return mean

    def decoder_shape(self, facts: Facts) -> tuple[int, ...]:
        """Return the shape of the decoder's outputs for one example."""
        return facts.space.shape

    def wrap(self, decoder: nn.Module) -> nn.Module:
        """Return the decoder with the parameters that the likelihood adds to it."""
        return decoder

    def build(self, facts: Facts) -> Any:
        """Return the function or piece from decoder outputs to p(x|z)."""
        raise NotImplementedError
