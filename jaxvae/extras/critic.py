"""Critic: a network that tells two kinds of codes apart, and has an optimizer of its own."""

from __future__ import annotations

import dataclasses

import optax
from flax import linen as nn

from jaxvae.distributions.sampling import as_rows
from jaxvae.facts import Facts
from jaxvae.nets import MLPEncoder, pure
from jaxvae.types import Array, Key, Params, Value


@dataclasses.dataclass(frozen=True)
class CriticNetwork:
    """Piece `(params, z) -> [B]` logits, whose parameters are labelled `critic`."""

    network: nn.Module

    def init(self, key: Key, x: Array, z: Value) -> Params:
        """Initialise the parameters for codes z `[B, ...]`."""
        del x
        return pure.init("critic", self.network, key, as_rows(z), None)

    def __call__(self, params: Params, z: Value) -> Array:
        """Return `[B]` logits of codes `[B, ...]`."""
        return pure.apply("critic", self.network, params["critic"], as_rows(z), None)[:, 0]

    def labels(self, own: Params) -> str:
        """Return the label of all parameters."""
        del own
        return "critic"


@dataclasses.dataclass(frozen=True)
class Critic:
    """Dense network that tells codes of two kinds apart, with an Adam of its own."""

    hidden: tuple[int, ...] = (256, 256)
    """Widths of the critic's dense hidden layers."""
    learning_rate: float = 1e-4
    """Learning rate of the critic's Adam."""
    b1: float = 0.5
    """Decay of the critic's first moments."""
    b2: float = 0.9
    """Decay of the critic's second moments."""
    every: int = 1
    """Number of steps from one update of the critic to the next."""
    after: int = 0
    """Number of first steps without an update of the critic."""

    def build(self, facts: Facts) -> CriticNetwork:
        """Return the piece."""
        return CriticNetwork(MLPEncoder(self.hidden, 1, nn.leaky_relu, facts.dtype))

    @property
    def optimizer(self) -> optax.GradientTransformation:
        """Optimizer of the parameters labelled `critic`."""
        return optax.adam(self.learning_rate, self.b1, self.b2)
