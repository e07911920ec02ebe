"""EfficientNet-Lite0, a classifier of photographs, as a pure function of its published weights."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp

from jaxvae.errors import InputError
from jaxvae.types import Array

EPSILON = 1e-3
"""Number added to the variances of all batch norms."""


class Group(NamedTuple):
    """Blocks of one kind, of which the first changes the size."""

    num_blocks: int
    kernel: int
    stride: int
    channels: int


GROUPS = (
    Group(1, 3, 1, 16),
    Group(2, 3, 2, 24),
    Group(2, 5, 2, 40),
    Group(3, 3, 2, 80),
    Group(3, 5, 1, 112),
    Group(4, 5, 2, 192),
    Group(1, 3, 1, 320),
)


@dataclasses.dataclass(frozen=True)
class EfficientNetLite0:
    """Network of 16 blocks of convolutions, which was trained on ImageNet.

    A block is a 1x1 convolution to six times the channels, a convolution of each channel, and a 1x1 convolution back;
    where size and channels stay, its input is added. Layers are named `stem`, `block_0` to `block_15`, `head`,
    `pooled` (the mean over the picture) and `logits`.

    Reference: Tan & Le 2019, https://arxiv.org/abs/1905.11946; the Lite models have neither squeeze-and-excitation nor
    swish.
    """

    kind: ClassVar[str] = "efficientnet_lite0"
    defaults: ClassVar[tuple[str, ...]] = ("stem", "block_2", "block_4")
    """Layers that a perceptual likelihood compares if none are named."""

    def __call__(self, params: Mapping[str, Array], images: Array) -> dict[str, Array]:
        """Return the values of all layers, `[B, h, w, c]` or `[B, c]`.

        Args:
            params: the weights by their published names; convolutions `[out, in, height, width]`.
            images: `[B, H, W, C]` in [0, 1], grey or in three colours, of any size.
        """
        x = (255 * _colours(images) - 127) / 128
        x = _relu6(_norm(params, "_bn0", _conv(x, params["_conv_stem.weight"], stride=2)))
        found, number = {"stem": x}, 0
        for group in GROUPS:
            for position in range(group.num_blocks):
                x = _block(params, f"_blocks.{number}.", x, group.stride if position == 0 else 1)
                found[f"block_{number}"] = x
                number += 1
        found["head"] = _relu6(_norm(params, "_bn1", _conv(x, params["_conv_head.weight"])))
        found["pooled"] = found["head"].mean((1, 2))
        found["logits"] = found["pooled"] @ params["_fc.weight"].T + params["_fc.bias"]
        return found

    def check(self, params: Mapping[str, Array]) -> None:
        """Refuse weights of another network.

        Raises:
            InputError: an array is missing.
        """
        num_blocks = sum(group.num_blocks for group in GROUPS)
        wanted = ["_conv_stem.weight", *(f"_blocks.{n}._project_conv.weight" for n in range(num_blocks)), "_fc.bias"]
        if missing := [name for name in wanted if name not in params]:
            raise InputError(f"features: the file lacks {missing[0]} of EfficientNet-Lite0; give its weights")


def _colours(images: Array) -> Array:
    return jnp.repeat(images, 3, axis=-1) if images.shape[-1] == 1 else images[..., :3]


def _block(params: Mapping[str, Array], name: str, x: Array, stride: int) -> Array:
    h = x
    if f"{name}_expand_conv.weight" in params:
        h = _relu6(_norm(params, f"{name}_bn0", _conv(h, params[f"{name}_expand_conv.weight"])))
    h = _conv_each(h, params[f"{name}_depthwise_conv.weight"], stride)
    h = _relu6(_norm(params, f"{name}_bn1", h))
    h = _norm(params, f"{name}_bn2", _conv(h, params[f"{name}_project_conv.weight"]))
    return h + x if h.shape == x.shape else h


def _conv(x: Array, kernel: Array, stride: int = 1) -> Array:
    if kernel.shape[2:] == (1, 1):
        return x @ kernel[:, :, 0, 0].T
    kernel = kernel.transpose(2, 3, 1, 0)
    return jax.lax.conv_general_dilated(x, kernel, (stride, stride), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))


def _conv_each(x: Array, kernel: Array, stride: int) -> Array:
    """Convolve each channel on its own, as a sum of shifted pictures: XLA's grouped convolution is slow on CPU."""
    size = kernel.shape[-1]
    height, width = x.shape[1:3]
    x = jnp.pad(x, ((0, 0), _same(height, size, stride), _same(width, size, stride), (0, 0)))
    rows, columns = -(-height // stride), -(-width // stride)

    def shifted(i: int, j: int) -> Array:
        return x[:, i : i + stride * (rows - 1) + 1 : stride, j : j + stride * (columns - 1) + 1 : stride]

    return sum(shifted(i, j) * kernel[:, 0, i, j] for i in range(size) for j in range(size))  # type: ignore[return-value]


def _same(side: int, size: int, stride: int) -> tuple[int, int]:
    """Return TensorFlow's padding before and after, of which the larger half comes after."""
    total = max((-(-side // stride) - 1) * stride + size - side, 0)
    return total // 2, total - total // 2


def _norm(params: Mapping[str, Array], name: str, x: Array) -> Array:
    scale = params[f"{name}.weight"] / jnp.sqrt(params[f"{name}.running_var"] + EPSILON)
    return (x - params[f"{name}.running_mean"]) * scale + params[f"{name}.bias"]


def _relu6(x: Array) -> Array:
    return jnp.clip(x, 0, 6)
