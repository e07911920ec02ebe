"""Weights of terms and of examples: weight 0 excludes a value, even infinity or NaN."""

from __future__ import annotations

import functools
from typing import TypeVar

import jax
import jax.numpy as jnp

from jaxvae.arguments import known
from jaxvae.distributions.base import broadcast_floats
from jaxvae.objectives.checks import check_weights
from jaxvae.types import Array

T = TypeVar("T")


def weigh(weight: Array | float, term: Array) -> Array:
    """Multiply a term by a weight; the product is 0 where the weight is 0, even for infinity and NaN.

    >>> print(weigh(jnp.array([0.0, 2.0]), jnp.array([jnp.inf, 3.0])))
    [0. 6.]
    """
    weight, term = broadcast_floats(weight, term)
    return weight * jnp.where(weight == 0, 0.0, term)


def without_gradient_at_zero(weight: Array | float, tree: T) -> T:
    """Stop the gradient of a pytree's arrays where the scalar weight is 0: 0 times an infinite slope is NaN."""
    numbers = known("weight", weight)
    if jnp.ndim(weight) or (numbers is not None and numbers != 0):
        return tree

    def stop(leaf: Array) -> Array:
        return jnp.where(weight == 0, jax.lax.stop_gradient(leaf), leaf) if isinstance(leaf, jax.Array) else leaf

    return jax.tree.map(stop, tree)


def weighted_mean(values: Array, weights: Array | None = None) -> Array:
    """Average over examples; 0 where all weights are 0, so that a device with only padding adds nothing."""
    if weights is None:
        return values.mean()
    check_weights(weights, values.shape)
    values, weights = broadcast_floats(values, jnp.asarray(weights))
    total = weights.sum()
    return weigh(weights, values).sum() / jnp.where(total == 0, 1.0, total)


def blank_padding(weights: Array | None, x: Array, condition: Array | None) -> tuple[Array, Array | None]:
    """Set rows of weight 0 to zero: in a gradient, 0 times a network's output for NaN would be NaN.

    Integers stay as they are: they are never NaN, and a row of zeros may be no example, as of tokens.
    """
    if weights is None:
        return x, condition

    def blank_row(weight: Array, row: Array) -> Array:
        return jnp.where(weight == 0, jnp.zeros_like(row), row) if jnp.issubdtype(row.dtype, jnp.inexact) else row

    def blank(weight: Array, rows: tuple[Array, Array | None]) -> tuple[Array, Array | None]:
        return jax.tree.map(functools.partial(blank_row, weight), rows)

    return jax.vmap(blank)(jnp.asarray(weights), jax.tree.map(jnp.asarray, (x, condition)))
