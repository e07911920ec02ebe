"""Convolutions written as matrix products, for XLA's CPU backend.

On CPU a convolution's gradients are slow in a loop (jax issue 12868: only outside of loops does the compiler rewrite
them for its fast code), and the weight gradient of a transposed convolution is slow everywhere. A product with the
image's patches is fast in both places, and so are its derivatives, which are products too.

Axes are `[C, H, W, B]`, CHWN: with the batch last, cutting an image into patches copies contiguous rows.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias

import jax.numpy as jnp
from jax import lax

from jaxvae.types import Array

Padding: TypeAlias = Literal["SAME", "VALID"]


class Windows(NamedTuple):
    """Windows of a convolution along one axis: `number` windows, the first of which begins `before` the image."""

    size: int
    stride: int
    before: int
    number: int

    @property
    def blocks(self) -> int:
        """Length of a window in blocks as long as the stride, rounded up."""
        return math.ceil(self.size / self.stride)


def conv(x: Array, kernel: Array, bias: Array, strides: tuple[int, int], padding: Padding) -> Array:
    """Compute `lax.conv_general_dilated` plus bias: `[I, H, W, B]`, `[kh, kw, I, O]`, `[O]` -> `[O, h, w, B]`."""
    rows, columns = map(_windows_of_conv, x.shape[1:3], kernel.shape, strides, (padding, padding))
    patches = _patches(x, rows, columns)
    y = lax.dot_general(_kernel_matrix(kernel, rows, columns), _flat(patches), (((0,), (0,)), ((), ())))
    return y.reshape(y.shape[0], *patches.shape[1:]) + bias[:, None, None, None]


def conv_transpose(x: Array, kernel: Array, bias: Array, strides: tuple[int, int], padding: Padding) -> Array:
    """Compute `lax.conv_transpose` plus bias: `[I, h, w, B]`, `[kh, kw, I, O]`, `[O]` -> `[O, H, W, B]`.

    It is the linear transpose of a strided convolution with the flipped kernel: every pixel is spread over a window,
    and overlapping windows are summed.
    """
    rows, columns = map(_windows_of_conv_transpose, x.shape[1:3], kernel.shape, strides, (padding, padding))
    flipped = kernel[::-1, ::-1].swapaxes(2, 3)
    patches = _kernel_matrix(flipped, rows, columns) @ _flat(x)
    patches = patches.reshape(patches.shape[0], *x.shape[1:])
    sides = [_image_side(windows, padding) for windows in (rows, columns)]
    return _overlapped(patches, rows, columns, sides) + bias[:, None, None, None]


def _windows_of_conv(side: int, size: int, stride: int, padding: Padding) -> Windows:
    ((before, after),) = lax.padtype_to_pads((side,), (size,), (stride,), padding)
    return Windows(size, stride, before, (before + side + after - size) // stride + 1)


def _windows_of_conv_transpose(side: int, size: int, stride: int, padding: Padding) -> Windows:
    return Windows(size, stride, max(size - stride, 0) // 2 if padding == "SAME" else 0, side)


def _image_side(windows: Windows, padding: Padding) -> int:
    overlap = 0 if padding == "SAME" else max(windows.size - windows.stride, 0)
    return windows.number * windows.stride + overlap


def _patches(x: Array, rows: Windows, columns: Windows) -> Array:
    """Extract each window's pixels: `[C, H, W, B]` -> `[pixels of a window * C, h, w, B]`.

    The image is cut into blocks as large as the stride; a window is then a few adjacent blocks.
    """
    x = lax.pad(x, x.dtype.type(0), _margins(rows, columns, x.shape[1:3]))
    channels, batch = x.shape[0], x.shape[-1]
    height, width = _blocks(rows), _blocks(columns)
    x = x.reshape(channels, height, rows.stride, width, columns.stride, batch).transpose(2, 4, 0, 1, 3, 5)
    # Without the barriers XLA recomputes the padding for every element of every patch, ten times as slow.
    x = lax.optimization_barrier(x.reshape(rows.stride * columns.stride * channels, height, width, batch))
    shifted = [x[:, i : i + rows.number, j : j + columns.number] for i, j in _corners(rows, columns)]
    return lax.optimization_barrier(lax.concatenate(shifted, 0))


def _overlapped(patches: Array, rows: Windows, columns: Windows, sides: Sequence[int]) -> Array:
    """Sum windows, the transpose of `_patches`: `[pixels of a window * C, h, w, B]` -> `[C, H, W, B]`."""
    height, width, batch = _blocks(rows), _blocks(columns), patches.shape[-1]
    corners = _corners(rows, columns)
    parts = jnp.split(lax.optimization_barrier(patches), len(corners))
    zero = patches.dtype.type(0)
    spread = []
    for part, (i, j) in zip(parts, corners):
        pads = [(i, height - i - rows.number, 0), (j, width - j - columns.number, 0)]
        spread.append(lax.pad(part, zero, [(0, 0, 0), *pads, (0, 0, 0)]))
    # The last window comes first, as in JAX's transpose.
    x = lax.optimization_barrier(functools.reduce(jnp.add, spread[::-1]))
    x = x.reshape(rows.stride, columns.stride, -1, height, width, batch).transpose(2, 3, 0, 4, 1, 5)
    x = x.reshape(x.shape[0], height * rows.stride, width * columns.stride, batch)
    return lax.pad(x, zero, [(-before, -after, 0) for before, after, _ in _margins(rows, columns, sides)])


def _blocks(windows: Windows) -> int:
    return windows.number + windows.blocks - 1


def _corners(rows: Windows, columns: Windows) -> list[tuple[int, int]]:
    return [(i, j) for i in range(rows.blocks) for j in range(columns.blocks)]


def _margins(rows: Windows, columns: Windows, sides: Sequence[int]) -> list[tuple[int, int, int]]:
    """Return the padding that extends an image of these sides to whole blocks."""
    pads = [
        (windows.before, _blocks(windows) * windows.stride - side - windows.before, 0)
        for windows, side in zip((rows, columns), sides)
    ]
    return [(0, 0, 0), *pads, (0, 0, 0)]


def _flat(x: Array) -> Array:
    # Products of two-dimensional arrays: with more axes their gradients take twice as long.
    return x.reshape(x.shape[0], math.prod(x.shape[1:]))


def _kernel_matrix(kernel: Array, rows: Windows, columns: Windows) -> Array:
    """Reshape `[kh, kw, I, O]` to `[pixels of a window * I, O]`, with zeros where windows were rounded up to blocks."""
    pads = [(0, axis.blocks * axis.stride - axis.size, 0) for axis in (rows, columns)]
    kernel = lax.pad(kernel, kernel.dtype.type(0), [*pads, (0, 0, 0), (0, 0, 0)])
    kernel = kernel.reshape(rows.blocks, rows.stride, columns.blocks, columns.stride, *kernel.shape[2:])
    return kernel.transpose(0, 2, 1, 3, 4, 5).reshape(-1, kernel.shape[-1])
