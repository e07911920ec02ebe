"""Classifier of one's own images: a small convolutional network, whose inner values serve as features."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar

from flax import linen as nn

from jaxvae.errors import InputError
from jaxvae.nets.conv_layers import Conv
from jaxvae.nets.network import Network
from jaxvae.types import Array, Key, Params


class Layers(Network):
    """Strided convolutions, a dense layer, and logits; every layer's values are returned by name."""

    num_classes: int
    channels: tuple[int, ...] = (32, 64, 128)
    width: int = 128

    @nn.compact
    def __call__(self, images: Array) -> dict[str, Array]:
        """Map `[B, H, W, C]` to a dict of values."""
        found, x = {}, images - 0.5
        for number, channels in enumerate(self.channels):
            x = found[f"conv_{number}"] = nn.relu(Conv(channels, name=f"conv_{number}")(x))
        found["hidden"] = nn.relu(nn.Dense(self.width, name="hidden")(x.reshape(len(x), -1)))
        found["logits"] = nn.Dense(self.num_classes, name="logits")(found["hidden"])
        return found


@dataclasses.dataclass(frozen=True)
class Classifier:
    """Network of K classes for images of one shape.

    Layers are named `conv_0` to `conv_2`, `hidden` and `logits`; `pooled` is `hidden`.
    """

    num_classes: int

    kind: ClassVar[str] = "classifier"
    defaults: ClassVar[tuple[str, ...]] = ("conv_0", "conv_1", "conv_2")
    """Layers that a perceptual likelihood compares if none are named."""

    def __call__(self, params: Mapping[str, Any], images: Array) -> dict[str, Array]:
        """Return the values of all layers for images `[B, H, W, C]` in [0, 1]."""
        found: Any = Layers(self.num_classes).apply({"params": nested(params)}, images)
        return {**found, "pooled": found["hidden"]}

    def check(self, params: Mapping[str, Any]) -> None:
        """Refuse weights of another network.

        Raises:
            InputError: an array is missing.
        """
        if "logits.kernel" not in params:
            raise InputError("features: the file lacks logits.kernel; make it with experiments/classifier.py")

    def init(self, key: Key, images: Array) -> Params:
        """Return initial parameters by name, for images of this shape."""
        return flat(Layers(self.num_classes).init(key, images)["params"])


def nested(params: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return parameters by layer and name.

    >>> nested({"hidden.kernel": 1, "hidden.bias": 2})
    {'hidden': {'kernel': 1, 'bias': 2}}
    """
    layers: dict[str, dict[str, Any]] = {}
    for path, value in params.items():
        layer, name = path.split(".")
        layers.setdefault(layer, {})[name] = value
    return layers


def flat(params: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return parameters by path, the inverse of `nested`."""
    return {f"{layer}.{name}": value for layer, own in params.items() for name, value in own.items()}
