"""Classifier of examples, q(y|x), for models that learn from few labels."""

from __future__ import annotations

import dataclasses

from flax import linen as nn

from jaxvae.arguments import look_up
from jaxvae.errors import InputError
from jaxvae.facts import Facts
from jaxvae.nets import ACTIVATIONS, ConvEncoder, MLPEncoder, pure
from jaxvae.nets.conv import image_channels
from jaxvae.types import Array, Key, Params, Value


@dataclasses.dataclass(frozen=True)
class ClassifierNetwork:
    """Piece `(params, x) -> [B, K]` logits of the classes of examples."""

    network: nn.Module

    def init(self, key: Key, x: Array, z: Value) -> Params:
        """Initialise the parameters for examples x `[B, ...]`."""
        del z
        return pure.init("classifier", self.network, key, x, None)

    def __call__(self, params: Params, x: Array) -> Array:
        """Return `[B, K]` logits of examples `[B, ...]`."""
        return pure.apply("classifier", self.network, params["classifier"], x, None)


@dataclasses.dataclass(frozen=True)
class Classifier:
    """Network that tells the class of an example."""

    channels: tuple[int, ...] = ()
    """Channels of convolutions before the dense layers."""
    hidden: tuple[int, ...] = (500,)
    """Widths of the classifier's dense hidden layers."""
    activation: str = "softplus"
    """Activation between the layers."""

    def build(self, facts: Facts) -> ClassifierNetwork:
        """Return the piece.

        Raises:
            InputError: the condition is no class.
        """
        if facts.condition_space is None or facts.condition_space.kind != "categories":
            raise InputError("classifier: there are no classes to tell; give --condition label")
        activation = look_up(ACTIVATIONS, "activation", self.activation)
        (size,) = facts.condition_space.shape
        if self.channels:
            channels = image_channels(facts.space.shape, self.channels)
            return ClassifierNetwork(ConvEncoder(channels, self.hidden, size, activation, facts.dtype))
        return ClassifierNetwork(MLPEncoder(self.hidden, size, activation, facts.dtype))
