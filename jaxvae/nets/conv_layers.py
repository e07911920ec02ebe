"""Convolutional layers: matrix products on CPU, XLA's convolutions elsewhere, the same parameters everywhere."""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Callable, Iterator

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

    @nn.compact
    def __call__(self, x: Array) -> Array:
        """Map `[B, H, W, I]` to `[B, h, w, features]`."""
        return _apply(self, x, on_cpu=conv_products.conv, elsewhere=lax.conv_general_dilated)


class ConvTranspose(Network):
    """`flax.linen.ConvTranspose` in two dimensions."""

    features: int
    kernel_size: tuple[int, int] = (4, 4)
    strides: tuple[int, int] = (2, 2)
    padding: Padding = "SAME"
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, x: Array) -> Array:
        """Map `[B, h, w, I]` to `[B, H, W, features]`."""
        return _apply(self, x, on_cpu=conv_products.conv_transpose, elsewhere=lax.conv_transpose)


def _apply(
    layer: Conv | ConvTranspose, x: Array, *, on_cpu: Callable[..., Array], elsewhere: Callable[..., Array]
) -> Array:
    kernel_shape = (*layer.kernel_size, x.shape[-1], layer.features)
    kernel = layer.param("kernel", nn.initializers.lecun_normal(), kernel_shape, jnp.float32)
    bias = layer.param("bias", nn.initializers.zeros, (layer.features,), jnp.float32)
    x, kernel, bias = nn.dtypes.promote_dtype(x, kernel, bias, dtype=layer.dtype)
    # Not lax.platform_dependent: its derivative would keep the residuals of both forms.
    if jax.default_backend() == "cpu" and not _PORTABLE.get() and not _sharded_explicitly(x, kernel):
        return on_cpu(x, kernel, bias, layer.strides, layer.padding)
    return elsewhere(x, kernel, layer.strides, layer.padding, dimension_numbers=AXES) + bias[None, None, None]


def _sharded_explicitly(*arrays: Array) -> bool:
    # Products merge the batch and the pixels into one axis, for which an explicit mesh has no name.
    return any(axis is not None for array in arrays for axis in jax.typeof(array).sharding.spec)
