"""EfficientNet-Lite0, a classifier of photographs, as a pure function of its published weights."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Iterator, Mapping
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp

from jaxvae.types import Array

EPSILON = 1e-3
"""Number added to the variances of all batch norms."""
STEM, EXPANSION, HEAD, CLASSES = 32, 6, 1280, 1000
"""Channels of the first layer, factor by which a block widens, channels of the last layer, and number of classes."""


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

    def run(self, params: Mapping[str, Array], images: Array) -> Iterator[tuple[str, Array]]:
        """Yield the values of the layers in their order, `[B, h, w, c]` or `[B, c]`, each with its name.

        Args:
            params: the weights by their published names; convolutions `[out, in, height, width]`.
            images: `[B, H, W, C]` in [0, 1], grey or in three colours, of any size.
        """
        x = (255 * _colours(images) - 127) / 128
        x = _relu6(_norm(params, "_bn0", _conv(x, params["_conv_stem.weight"], stride=2)))
        yield "stem", x
        for number, group, is_first in _blocks():
            stride = group.stride if is_first else 1
            x = _block(params, f"_blocks.{number}.", x, stride, expands=number > 0)
            yield f"block_{number}", x
        x = _relu6(_norm(params, "_bn1", _conv(x, params["_conv_head.weight"])))
        yield "head", x
        x = x.mean((1, 2))
        yield "pooled", x
        yield "logits", x @ params["_fc.weight"].T + params["_fc.bias"]

    def shapes(self, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        """Return the shapes of all parameters by name; those of the images do not matter."""
        del shape
        sizes: dict[str, tuple[int, ...]] = {"_conv_stem.weight": (STEM, 3, 3, 3), **_norm_shapes("_bn0", STEM)}
        channels = STEM
        for number, group, _ in _blocks():
            sizes |= _block_shapes(f"_blocks.{number}.", channels, group, expands=number > 0)
            channels = group.channels
        sizes |= {"_conv_head.weight": (HEAD, channels, 1, 1), **_norm_shapes("_bn1", HEAD)}
        return {**sizes, "_fc.weight": (CLASSES, HEAD), "_fc.bias": (CLASSES,)}


def _blocks() -> Iterator[tuple[int, Group, bool]]:
    """Yield the number of each block, its group, and whether it is the group's first."""
    places = [(group, position == 0) for group in GROUPS for position in range(group.num_blocks)]
    yield from ((number, *place) for number, place in enumerate(places))


def _block_shapes(name: str, channels: int, group: Group, *, expands: bool) -> dict[str, tuple[int, ...]]:
    wide = EXPANSION * channels if expands else channels
    expansion = {f"{name}_expand_conv.weight": (wide, channels, 1, 1), **_norm_shapes(f"{name}_bn0", wide)}
    return {
        **(expansion if expands else {}),
        f"{name}_depthwise_conv.weight": (wide, 1, group.kernel, group.kernel),
        **_norm_shapes(f"{name}_bn1", wide),
        f"{name}_project_conv.weight": (group.channels, wide, 1, 1),
        **_norm_shapes(f"{name}_bn2", group.channels),
    }


def _norm_shapes(name: str, channels: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.{part}": (channels,) for part in ("weight", "bias", "running_mean", "running_var")}


def _colours(images: Array) -> Array:
    return jnp.repeat(images, 3, axis=-1) if images.shape[-1] == 1 else images[..., :3]


def _block(params: Mapping[str, Array], name: str, x: Array, stride: int, *, expands: bool) -> Array:
    h = x
    if expands:
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


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def _conv_each(x: Array, kernel: Array, stride: int) -> Array:
    """Convolve each channel on its own, as a sum of shifted pictures: XLA's grouped convolution is slow on CPU."""
    return _sum_of_shifted(_padded(x, kernel, stride), kernel, stride)


def _conv_each_forward(x: Array, kernel: Array, stride: int) -> tuple[Array, tuple[Array, Array]]:
    return _conv_each(x, kernel, stride), (x, kernel)


def _conv_each_backward(stride: int, saved: tuple[Array, Array], slope: Array) -> tuple[Array, Array]:
    """Sum shifted pictures again: to transpose each slice, as JAX would, takes five times as long on CPU."""
    x, kernel = saved
    size = kernel.shape[-1]
    around = [(0, 0, 0)] * 4
    for axis in (1, 2):
        before = size - 1 - _same(x.shape[axis], size, stride)[0]
        spread = stride * (slope.shape[axis] - 1) + 1
        around[axis] = (before, x.shape[axis] + size - 1 - before - spread, stride - 1)
    of_x = _sum_of_shifted(jax.lax.pad(slope, jnp.zeros((), slope.dtype), around), kernel[..., ::-1, ::-1])
    parts = [(shifted * slope).sum((0, 1, 2)) for shifted in _shifted(_padded(x, kernel, stride), size, stride)]
    return of_x, jnp.stack(parts, -1).reshape(kernel.shape)


_conv_each.defvjp(_conv_each_forward, _conv_each_backward)


def _sum_of_shifted(x: Array, kernel: Array, stride: int = 1) -> Array:
    weights = kernel.reshape(len(kernel), -1).T
    return sum(picture * weight for picture, weight in zip(_shifted(x, kernel.shape[-1], stride), weights))


def _shifted(x: Array, size: int, stride: int) -> Iterator[Array]:
    """Yield what each number of a kernel is multiplied with."""
    rows, columns = (stride * ((side - size) // stride) + 1 for side in x.shape[1:3])
    for i, j in itertools.product(range(size), repeat=2):
        yield x[:, i : i + rows : stride, j : j + columns : stride]


def _padded(x: Array, kernel: Array, stride: int) -> Array:
    sides = [_same(side, kernel.shape[-1], stride) for side in x.shape[1:3]]
    return jnp.pad(x, ((0, 0), *sides, (0, 0)))


def _same(side: int, size: int, stride: int) -> tuple[int, int]:
    """Return TensorFlow's padding before and after, of which the larger half comes after."""
    total = max((-(-side // stride) - 1) * stride + size - side, 0)
    return total // 2, total - total // 2


def _norm(params: Mapping[str, Array], name: str, x: Array) -> Array:
    scale = params[f"{name}.weight"] / jnp.sqrt(params[f"{name}.running_var"] + EPSILON)
    return (x - params[f"{name}.running_mean"]) * scale + params[f"{name}.bias"]


def _relu6(x: Array) -> Array:
    return jnp.clip(x, 0, 6)
