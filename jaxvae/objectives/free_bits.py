"""Free bits: nats of KL that the loss does not lower, against posterior collapse. They have four meanings in use.

    dimension     sum_d max(KL_d, free)               of each example and dimension
    total         max(sum_d KL_d, free)               of each example
    mask          sum_d KL_d where KL_d > free        of each example and dimension, 0 elsewhere
    batch mean    sum_d max(mean_b KL_bd, free)       of each dimension, see `batch_free_bits_loss`

All have no gradient where a KL is below its free bits. Except with the mask the loss is only raised, so that minus the
loss is still a bound on log p(x).
"""

from __future__ import annotations

from typing import Literal, get_args

import jax.numpy as jnp

from jaxvae.arguments import known
from jaxvae.distributions.base import at_least_float32
from jaxvae.errors import InputError, did_you_mean
from jaxvae.types import Array, ElboTerms

FreeBitsOf = Literal["dimension", "total", "mask"]


def charged(terms: ElboTerms, free_bits: Array | float, of: FreeBitsOf, separates: bool) -> Array:
    """Return `[B]` nats of KL that the loss counts.

    Args:
        terms: terms of the bound.
        free_bits: nats of KL, a number or one per example `[B]`; except for the total also `[D]`, one per dimension.
        of: dimension, total or mask, see this module.
        separates: True where the KL is a sum over dimensions.

    Raises:
        InputError: there is no such meaning; or there are free bits of dimensions, and the KL is no sum over them.
        ValueError: free bits are neither one number, nor one per dimension or example.
    """
    if of not in get_args(FreeBitsOf):
        hint = did_you_mean(of, get_args(FreeBitsOf))
        raise InputError(f"free_bits_of: must be one of {', '.join(get_args(FreeBitsOf))}, got {of!r}{hint}")
    if not any_free(free_bits):
        return terms.kl
    if of == "total":
        return raised(terms.kl, _one_per_example(free_bits, terms.kl))
    check_separates(separates)
    kl = terms.kl_per_dimension
    free = _broadcast(free_bits, kl)
    return (raised(kl, free) if of == "dimension" else masked(kl, free)).sum(-1)


def raised(kl: Array, free: Array) -> Array:
    """Return max(KL, free); an estimate may be below 0, and stays so where nothing is free."""
    return jnp.where(free > 0, jnp.maximum(kl, free), kl)


def masked(kl: Array, free: Array) -> Array:
    """Return the KL where it is above the free bits, else 0."""
    return jnp.where((free > 0) & (kl <= free), 0.0, kl)


def any_free(free_bits: Array | float) -> bool:
    """Return False where there are no free bits; those of a traced number are unknown, and may be there."""
    numbers = known("free_bits", free_bits)
    return numbers is None or bool(numbers.any())


def check_separates(separates: bool) -> None:
    """Refuse free bits of dimensions that have no KL of their own."""
    if not separates:
        raise InputError(
            "free_bits: this posterior and prior have a KL of all dimensions together, of which none can be free; "
            "give free_bits_of total, or free_bits 0"
        )


def _broadcast(free_bits: Array | float, kl: Array) -> Array:
    """Return free bits `[B, D]`."""
    shape, free = jnp.shape(free_bits), jnp.asarray(free_bits, kl.dtype)
    if shape == kl.shape[:1] != kl.shape[1:]:
        free = free[:, None]
    elif shape not in ((), kl.shape[1:], (kl.shape[0], 1), kl.shape):
        raise ValueError(
            f"free_bits {shape} must be one number, one per dimension of the KL, {kl.shape[1:]}, or one per example, "
            f"{kl.shape[:1]}"
        )
    return jnp.broadcast_to(free, kl.shape)


def _one_per_example(free_bits: Array | float, kl: Array) -> Array:
    if jnp.shape(free_bits) not in ((), kl.shape):
        raise ValueError(f"free_bits {jnp.shape(free_bits)} of the total must be one number, or one per example")
    return at_least_float32(free_bits)
