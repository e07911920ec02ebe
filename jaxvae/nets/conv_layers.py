"""Convolutional layers: matrix products on CPU, XLA's convolutions elsewhere, the same parameters everywhere.

On CPU products want the batch last, and to move it copies all images. So a network with several convolutions moves it
once at each end:

    layout = fastest_layout(x)
    x = with_layout(x, layout)
    ...  # Conv(features, layout=layout), activations, and whatever keeps the axes of rows and columns, 1 and 2
    x = images(x, layout)
"""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Callable, Iterator
from typing import Literal, TypeAlias

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import lax
from jax.typing import DTypeLike

from jaxvae.nets import conv_products
from jaxvae.nets.conv_products import Padding
from jaxvae.nets.network import Network
from jaxvae.types import Array

AXES = ("NHWC", "HWIO", "NHWC")
Layout: TypeAlias = Literal["NHWC", "CHWN"]
"""Axes of images: N is the batch, C the channels."""
_PORTABLE = contextvars.ContextVar("portable", default=False)


@contextlib.contextmanager
def portable() -> Iterator[None]:
    """Use XLA's convolutions in what is traced here, also on CPU: for a program that is to run elsewhere."""
    token = _PORTABLE.set(True)
    try:
        yield
    finally:
        _PORTABLE.reset(token)


class Conv(Network):
    """`flax.linen.Conv` in two dimensions."""

    features: int
    kernel_size: tuple[int, int] = (4, 4)
    strides: tuple[int, int] = (2, 2)
    padding: Padding = "SAME"
    dtype: DTypeLike | None = None
    layout: Layout = "NHWC"
    """Axes of the layer's input and output."""

    @nn.compact
    def __call__(self, x: Array) -> Array:
        """Map `[B, H, W, I]` to `[B, h, w, features]`, in NHWC."""
        return _apply(self, x, on_cpu=conv_products.conv, elsewhere=lax.conv_general_dilated)


class ConvTranspose(Network):
    """`flax.linen.ConvTranspose` in two dimensions."""

    features: int
    kernel_size: tuple[int, int] = (4, 4)
    strides: tuple[int, int] = (2, 2)
    padding: Padding = "SAME"
    dtype: DTypeLike | None = None
    layout: Layout = "NHWC"
    """Axes of the layer's input and output."""

    @nn.compact
    def __call__(self, x: Array) -> Array:
        """Map `[B, h, w, I]` to `[B, H, W, features]`, in NHWC."""
        return _apply(self, x, on_cpu=conv_products.conv_transpose, elsewhere=lax.conv_transpose)


def fastest_layout(*arrays: Array) -> Layout:
    """Return the layout in which convolutions of images NHWC are fast: CHWN on CPU, NHWC elsewhere."""
    # Products merge the batch and the pixels into one axis, for which an explicit mesh has no name.
    explicit = any(axis is not None for array in arrays for axis in jax.typeof(array).sharding.spec)
    # Not lax.platform_dependent: its derivative would keep the residuals of both forms.
    return "CHWN" if jax.default_backend() == "cpu" and not _PORTABLE.get() and not explicit else "NHWC"


def with_layout(x: Array, layout: Layout) -> Array:
    """Return images NHWC in a layout."""
    return x if layout == "NHWC" else x.transpose(3, 1, 2, 0)


def images(x: Array, layout: Layout) -> Array:
    """Return images of a layout in NHWC, the inverse of `with_layout`."""
    # The barrier prevents fusion across the transposition, which would copy the whole image in short strides.
    return x if layout == "NHWC" else lax.optimization_barrier(x).transpose(3, 1, 2, 0)


def _apply(
    layer: Conv | ConvTranspose, x: Array, *, on_cpu: Callable[..., Array], elsewhere: Callable[..., Array]
) -> Array:
    kernel_shape = (*layer.kernel_size, x.shape[layer.layout.index("C")], layer.features)
    kernel = layer.param("kernel", nn.initializers.lecun_normal(), kernel_shape, jnp.float32)
    bias = layer.param("bias", nn.initializers.zeros, (layer.features,), jnp.float32)
    x, kernel, bias = nn.dtypes.promote_dtype(x, kernel, bias, dtype=layer.dtype)
    if layer.layout == "CHWN":
        return on_cpu(x, kernel, bias, layer.strides, layer.padding)
    if (inside := fastest_layout(x, kernel)) == "CHWN":
        return images(on_cpu(with_layout(x, inside), kernel, bias, layer.strides, layer.padding), inside)
    return elsewhere(x, kernel, layer.strides, layer.padding, dimension_numbers=AXES) + bias[None, None, None]
