"""Classifier of one's own images: a small convolutional network, whose inner values serve as features."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from flax import linen as nn

from jaxvae import rng
from jaxvae.nets.conv_layers import Conv
from jaxvae.types import Array, Key

CHANNELS, WIDTH, KERNEL = (32, 64, 128), 128, 4
"""Channels of the convolutions, which halve the image, width of the dense layer, and side of the kernels."""


@dataclasses.dataclass(frozen=True)
class Classifier:
    """Network of K classes for images of one shape: strided convolutions, a dense layer, logits.

    Layers are named `conv_0` to `conv_2`, `pooled` (the dense layer) and `logits`.
    """

    num_classes: int

    kind: ClassVar[str] = "classifier"
    defaults: ClassVar[tuple[str, ...]] = ("conv_0", "conv_1", "conv_2")
    """Layers that a perceptual likelihood compares if none are named."""

    def run(self, params: Mapping[str, Array], images: Array) -> Iterator[tuple[str, Array]]:
        """Yield the values of the layers in their order, `[B, h, w, c]` or `[B, c]`, each with its name.

        Args:
            params: parameters by name.
            images: `[B, H, W, C]` in [0, 1].
        """
        x = images - 0.5
        for number, channels in enumerate(CHANNELS):
            layer: Any = {name: params[f"conv_{number}.{name}"] for name in ("kernel", "bias")}
            x = nn.relu(Conv(channels, (KERNEL, KERNEL)).apply({"params": layer}, x))  # type: ignore[arg-type]
            yield f"conv_{number}", x
        x = nn.relu(x.reshape(len(x), -1) @ params["pooled.kernel"] + params["pooled.bias"])
        yield "pooled", x
        yield "logits", x @ params["logits.kernel"] + params["logits.bias"]

    def shapes(self, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        """Return the shapes of all parameters by name, for images `[H, W, C]`."""
        height, width, channels = shape
        sizes: dict[str, tuple[int, ...]] = {}
        for number, more in enumerate(CHANNELS):
            sizes |= {f"conv_{number}.kernel": (KERNEL, KERNEL, channels, more), f"conv_{number}.bias": (more,)}
            height, width, channels = math.ceil(height / 2), math.ceil(width / 2), more
        sizes |= {"pooled.kernel": (height * width * channels, WIDTH), "pooled.bias": (WIDTH,)}
        return {**sizes, "logits.kernel": (WIDTH, self.num_classes), "logits.bias": (self.num_classes,)}

    def init(self, key: Key, shape: tuple[int, ...]) -> dict[str, Array]:
        """Return initial parameters for images `[H, W, C]`."""
        kernels = jax.nn.initializers.lecun_normal()
        return {
            name: kernels(rng.stream(key, name), size) if name.endswith("kernel") else jnp.zeros(size)
            for name, size in self.shapes(shape).items()
        }
