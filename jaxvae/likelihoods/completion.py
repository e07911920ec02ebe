"""Likelihood of the part of an image that a model does not see."""

from __future__ import annotations

import dataclasses
from typing import Any, cast

from jaxvae import pieces
from jaxvae.distributions import Completed
from jaxvae.distributions.completed import Seen
from jaxvae.errors import InputError
from jaxvae.likelihoods.perceptual import PerceptualHead
from jaxvae.types import Array, Key, Params, Space


@dataclasses.dataclass(frozen=True)
class CompletionHead:
    """Piece from decoder outputs and what is seen to `distributions.Completed`, by another likelihood of pixels."""

    head: Any
    """Function or piece from decoder outputs to the distribution of all pixels."""
    seen: Seen

    def init(self, key: Key, outputs: Any, condition: Array | None = None) -> Params:
        """Initialise the other likelihood."""
        return pieces.init("likelihood", self.head, key, outputs, condition=condition)

    def __call__(self, params: Params, outputs: Any, condition: Array) -> Completed:
        """Return p(x|z, c)."""
        pixels = pieces.call("likelihood", self.head, params, outputs, condition=condition)
        return Completed(pixels, condition, self.seen)


def of_hidden(head: Any, condition_space: Space | None) -> Any:
    """Return a likelihood that scores hidden pixels alone where a condition shows a part of x, else the same one.

    Raises:
        InputError: it compares whole images.
    """
    if not hasattr(condition_space, "hidden"):
        return head
    if isinstance(head, PerceptualHead):
        raise InputError("likelihood: perceptual compares whole images, not the quadrants that are hidden; use another")
    return CompletionHead(head, cast(Seen, condition_space))
