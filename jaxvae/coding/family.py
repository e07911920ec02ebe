"""Codec of a family of distributions, in two steps: what the networks compute, and what NumPy makes of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxvae.coding.codecs import Codec, independent
from jaxvae.coding.intervals import Intervals, Where
from jaxvae.types import Array


class Family(NamedTuple):
    """Codec of a family."""

    arrays: Callable[[Any], Sequence[Array]]
    """Function from the distribution to arrays `[B, ...]`, for a compiled program."""
    codec: Callable[..., Codec]
    """Function from these arrays `[D, L, ...]` and `there` `[D, L]`, or None, to the codec of values `[D, L]`."""
    nearest: Callable[[np.ndarray], np.ndarray]
    """Function from any values `[D, L]` to the nearest that the family codes."""


def within(intervals: Intervals, there: np.ndarray | None) -> Codec:
    """Return the codec of independent symbols `[D, L]`, of which those that are not there cost nothing."""
    return independent(intervals if there is None else Where(intervals, there))
