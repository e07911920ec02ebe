"""Masked dense network, in which an output depends on earlier inputs alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from jax.typing import DTypeLike

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

    def solve(self, choose: Callable[[Array, Array], Array], given: Array, context: Array) -> tuple[Array, Array]:
        """Find the x with x_d = choose(outputs_d, given_d), one dimension after another, at the cost of one pass.

        A unit is computed once its inputs are known, and added to the sums of the units above it. No masks are needed:
        sums that a unit must not change have been read before.

        Args:
            choose: function of `[..., num_outputs]` and `[...]` that returns `[...]`.
            given: `[..., D]` arguments of `choose`.
            context: `[..., C]`, whose leading axes broadcast to those of `given`.

        Returns:
            x `[..., D]`, and the outputs at it, `[..., D, num_outputs]`.
        """

        def step(sums: list[Array], now: tuple[Array, Array, list[Array]]) -> tuple[list[Array], tuple[Array, Array]]:
            degree, given, kernels = now
            sums = list(sums)
            for number, kernel in enumerate(kernels[1:]):
                units = self.activation(_of_degree(sums[number], degree))
                sums[number + 1] += jnp.tensordot(units, kernel, (-1, -1))
            outputs = _of_degree(sums[-1], degree)
            x = choose(outputs, given)
            sums[0] += x[..., None, None] * kernels[0][..., 0]
            return sums, (x, outputs)

        *leading, dim = given.shape
        biases, kernels = self._by_degree(context, dim, given.dtype)
        sums = [jnp.broadcast_to(bias, (*leading, *bias.shape[-2:])) for bias in biases]
        _, (x, outputs) = jax.lax.scan(step, sums, (jnp.arange(dim), jnp.moveaxis(given, -1, 0), kernels))
        return jnp.moveaxis(x, 0, -1), jnp.moveaxis(outputs, 0, -2)

    def _by_degree(self, context: Array, dim: int, dtype: DTypeLike) -> tuple[list[Array], list[Array]]:
        """Return biases `[..., units of a degree, D]`, and kernels `[D, units above, D, units of a degree]`."""
        params, context = jax.tree.map(lambda leaf: leaf.astype(dtype), (self.variables["params"], context))
        layers = [params[f"Dense_{number}"] for number in range(len(self.hidden))]
        biases, kernels = [layer["bias"] for layer in layers], [layer["kernel"] for layer in layers]
        if layers:
            biases[0] += context @ params["context"]["kernel"]
        degree_last = np.arange(dim * self.num_outputs).reshape(dim, -1).T.ravel()
        biases.append(params["output"]["bias"][degree_last])
        kernels.append(params["output"]["kernel"][:, degree_last])
        grouped = [_groups(jnp.moveaxis(_groups(kernel, dim), 0, -1), dim) for kernel in kernels]
        return [_groups(bias, dim) for bias in biases], [jnp.moveaxis(kernel, -1, 0) for kernel in grouped]


def _groups(units: Array, dim: int) -> Array:
    """Reshape `[..., units]` to `[..., units of a degree, D]`, filled up with zeros."""
    missing = -units.shape[-1] % dim
    filled = jnp.pad(units, [(0, 0)] * (units.ndim - 1) + [(0, missing)])
    return filled.reshape(*units.shape[:-1], -1, dim)


def _of_degree(sums: Array, degree: Array) -> Array:
    return jax.lax.dynamic_index_in_dim(sums, degree, -1, keepdims=False)


def _masked(mask: np.ndarray) -> Callable[..., Array]:
    """Return a product with a kernel `[inputs, outputs]` that uses its weights where the mask is True."""

    def product(x: Array, kernel: Array, *arguments: Any, **options: Any) -> Array:
        return jax.lax.dot_general(x, jnp.where(mask, kernel, 0), *arguments, **options)

    return product
