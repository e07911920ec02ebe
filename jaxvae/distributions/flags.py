"""Flags of a distribution: what it is not. Without a flag it is an ordinary, normalised one."""

from __future__ import annotations

from typing import Any


def has_density(distribution: Any) -> bool:
    """Return False for a point mass or a quantised value, whose log-probability is not to be compared with a density.

    >>> from jaxvae.distributions import Delta
    >>> has_density(Delta(0.0))
    False
    """
    return bool(getattr(distribution, "has_density", True))


def has_kl(distribution: Any) -> bool:
    """Return False for a point mass among real numbers, whose KL to any density is infinite."""
    return bool(getattr(distribution, "has_kl", True))


def is_normalized(distribution: Any) -> bool:
    """Return False where exp(log_prob) does not integrate to 1: no bound on log p(x) can be made of it."""
    return bool(getattr(distribution, "normalized", True))


def is_relaxed(distribution: Any) -> bool:
    """Return True where samples are continuous stand-ins for discrete values, and the KL is that of the values."""
    return bool(getattr(distribution, "relaxed", False))


def can_simulate(distribution: Any) -> bool:
    """Return False where a sample is scored otherwise than it was drawn, as one whose total is read from itself."""
    return bool(getattr(distribution, "simulates", is_normalized(distribution)))
