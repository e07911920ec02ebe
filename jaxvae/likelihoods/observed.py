"""Likelihood of examples with gaps, by another likelihood of their values."""

from __future__ import annotations

import dataclasses
from typing import Any

from jaxvae import pieces
from jaxvae.distributions import Observed
from jaxvae.types import Array, Key, Params, Space


@dataclasses.dataclass(frozen=True)
class ObservedHead:
    """Piece from decoder outputs to `distributions.Observed`, by another likelihood."""

    head: Any
    """Function or piece from decoder outputs to the distribution of all values."""

    def init(self, key: Key, outputs: Any, condition: Array | None = None) -> Params:
        """Initialise the other likelihood."""
        return pieces.init("likelihood", self.head, key, outputs, condition=condition)

    def __call__(self, params: Params, outputs: Any, condition: Array | None = None) -> Observed:
        """Return p(x|z)."""
        return Observed(pieces.call("likelihood", self.head, params, outputs, condition=condition))


def of_observed(head: Any, space: Space) -> Any:
    """Return a likelihood that scores observed values alone where examples have gaps, else the same one."""
    return ObservedHead(head) if getattr(space, "has_gaps", False) else head
