"""Analogies between codes: a is to b as c is to the result."""

from __future__ import annotations

from jaxvae.distributions.base import as_floats
from jaxvae.errors import InputError
from jaxvae.types import Array


def analogy(a: Array, b: Array, c: Array) -> Array:
    """Compute c + (b - a), the code that differs from c as b differs from a.

    Args:
        a: `[..., D]` codes to begin with, of the pair that shows the change.
        b: `[..., D]` codes to end with, of the same pair.
        c: `[..., D]` code to change.

    Raises:
        InputError: the codes differ in shape.

    Reference: Mikolov et al. 2013, https://aclanthology.org/N13-1090.

    >>> import jax.numpy as jnp
    >>> print(analogy(jnp.array([0.0, 1.0]), jnp.array([2.0, 1.0]), jnp.array([5.0, 5.0])))
    [7. 5.]
    """
    a, b, c = as_floats(a, b, c)
    if not a.shape == b.shape == c.shape:
        raise InputError(f"c: a, b and c must have one shape, got {a.shape}, {b.shape} and {c.shape}")
    return c + (b - a)
