"""Grids of points in latent space to decode, for any model."""

from __future__ import annotations

import jax.numpy as jnp
from jax.scipy.special import ndtri

from jaxvae.arguments import whole_number
from jaxvae.distributions.base import as_floats
from jaxvae.errors import InputError
from jaxvae.types import Array


def traversal(z: Array, dimension: int, values: Array) -> Array:
    """Make `[N, D]` copies of one code `[D]` whose coordinate `dimension` takes each of the `[N]` values.

    >>> import jax.numpy as jnp
    >>> print(traversal(jnp.zeros(2), 1, jnp.array([-1.0, 1.0])))
    [[ 0. -1.]
     [ 0.  1.]]
    """
    if jnp.ndim(z) != 1:
        raise InputError(f"z: one code [D] is wanted, got shape {jnp.shape(z)}")
    dimension = whole_number("dimension", dimension, 0, len(z) - 1)
    z, values = as_floats(z, values)
    copies = jnp.broadcast_to(z, (len(values), len(z)))
    return copies.at[:, dimension].set(values)


def prior_quantiles(num: int) -> Array:
    """Return `[num]` centres of slices of N(0, 1) with equal mass, by the inverse normal CDF.

    Reference: Kingma & Welling 2014, figure 4.

    >>> [f"{quantile:.2f}" for quantile in prior_quantiles(2)]
    ['-0.67', '0.67']
    """
    num = whole_number("num", num)
    return ndtri((jnp.arange(num, dtype=float) + 0.5) / num)


def manifold_grid(num: int) -> Array:
    """Return `[num * num, 2]` codes at the prior's quantiles, row by row from the top left."""
    quantiles = prior_quantiles(num)
    vertical, horizontal = jnp.meshgrid(quantiles[::-1], quantiles, indexing="ij")
    return jnp.stack([horizontal.ravel(), vertical.ravel()], axis=-1)
