"""Sampling of any distribution: with its log-density where that is cheap, and a representative value without noise."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from jaxvae.types import Array, Distribution, Key, Value


def sample_and_log_prob(distribution: Distribution, key: Key) -> tuple[Value, Array | None]:
    """Sample a value, with its log-density where the distribution offers both together.

    A flow knows the density of its own samples without an inverse. For any other distribution the log-density is None:
    `log_prob` gives it to those who need it.

    Args:
        distribution: any distribution.
        key: one key, or one per example.
    """
    if hasattr(distribution, "sample_and_log_prob"):
        value, log_prob = distribution.sample_and_log_prob(key)
        return value, log_prob
    return distribution.sample(key), None


def point(distribution: Any) -> Value:
    """Return a representative value without noise, for pictures and codes: `point`, else the mean, else the mode.

    Raises:
        TypeError: the distribution has none of the three.
    """
    for name in ("point", "mean", "mode"):
        try:
            value = getattr(distribution, name)
        except (AttributeError, NotImplementedError):  # NumPyro's distributions have names that only raise
            continue
        return value() if callable(value) else value
    raise TypeError(f"{type(distribution).__name__} has no point, mean or mode: it has no value to show")


def for_decoder(z: Value) -> Any:
    """Return the part of a latent value that the decoder gets.

    A value with an attribute `for_decoder` chooses it; a tuple of several stochastic layers gives the first, on which
    alone x depends; an array is passed as it is.
    """
    if hasattr(z, "for_decoder"):
        return z.for_decoder
    return z[0] if isinstance(z, tuple) else z


def as_rows(value: Value) -> Array:
    """Return `[B, E]` of a latent value: flattened behind the first axis, several layers joined, codes as vectors.

    >>> as_rows((jnp.ones((2, 3)), jnp.ones((2, 4, 5)))).shape
    (2, 23)
    """
    value = value.for_decoder if hasattr(value, "for_decoder") else value
    return jnp.concatenate([leaf.reshape(leaf.shape[0], -1) for leaf in jax.tree.leaves(value)], axis=1)
