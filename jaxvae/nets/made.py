"""Masked dense network, in which an output depends on earlier inputs alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn

from jaxvae.distributions.base import at_least_float32
from jaxvae.nets.network import Network
from jaxvae.types import Array


class MADE(Network):
    """Masked autoencoder: outputs d depend on inputs 1 ... d - 1, and all of them on a context.

    The last layer begins at 0, so that a flow begins as the identity. It computes in float32, as an inverse needs it.

    Reference: Germain et al. 2015, https://arxiv.org/abs/1502.03509, section 4.
    """

    hidden: tuple[int, ...]
    num_outputs: int = 2
    """Number of outputs for each input."""
    activation: Callable[[Array], Array] = nn.elu

    @nn.compact
    def __call__(self, x: Array, context: Array) -> Array:
        """Map `[..., D]` and `[..., C]`, whose leading axes broadcast, to `[..., D, num_outputs]`."""
        dim = x.shape[-1]
        # A hidden unit of degree k takes inputs up to k; one of degree -1 only the context, all that output 0 may use.
        degrees, h = np.arange(dim), at_least_float32(x)
        for number, width in enumerate(self.hidden):
            units = np.arange(width) % dim - 1
            h = nn.Dense(width, dot_general=_masked(degrees[:, None] <= units))(h)
            if number == 0:
                h = h + nn.Dense(width, use_bias=False, name="context")(at_least_float32(context))
            degrees, h = units, self.activation(h)
        mask = np.repeat(degrees[:, None] < np.arange(dim), self.num_outputs, axis=1)
        zeros = nn.initializers.zeros
        h = nn.Dense(mask.shape[1], kernel_init=zeros, dot_general=_masked(mask), name="output")(h)
        return h.reshape(*h.shape[:-1], dim, self.num_outputs)


def _masked(mask: np.ndarray) -> Callable[..., Array]:
    """Return a product with a kernel `[inputs, outputs]` that uses its weights where the mask is True."""

    def product(x: Array, kernel: Array, *arguments: Any, **options: Any) -> Array:
        return jax.lax.dot_general(x, jnp.where(mask, kernel, 0), *arguments, **options)

    return product
