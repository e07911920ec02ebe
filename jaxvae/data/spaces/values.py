"""Stored values as numbers: bytes become [0, 1], floats float32, and integers stay integers."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np


def full_scale(stored: Any) -> int:
    """Return the stored value that means 1."""
    return 255 if stored.dtype == np.uint8 else 1


def as_values(stored: Any) -> Any:
    """Convert an array, or each array of a dict: uint8 to [0, 1], floats to float32, and nothing else.

    >>> as_values({"observed": np.array([True, False]), "x": np.uint8([0, 255])})
    {'observed': array([ True, False]), 'x': array([0., 1.], dtype=float32)}
    """
    return jax.tree.map(_as_values, stored)


def _as_values(stored: Any) -> Any:
    if stored.dtype == np.uint8 or stored.dtype.kind == "f":
        return stored.astype(np.float32) / full_scale(stored)
    return stored
