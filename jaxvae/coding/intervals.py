"""Intervals of integers for symbols: probabilities as masses of which none is 0, with a sum of 2^r.

All arithmetic behind the probabilities is exact or rounded as IEEE 754 says, element by element, so that the same
probabilities give the same integers whatever is computed beside them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from jaxvae.coding.rans import MAX_PRECISION

LEAST_PRECISION, SPARE = 16, 12
"""Least number of bits of a mass, and bits beyond those of the number of symbols."""
Found = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Symbols `[L]` with the starts and masses of their intervals."""


class Intervals(Protocol):
    """Interface of the intervals of D positions in L lanes."""

    @property
    def precision(self) -> int:
        """Number r of bits: masses sum to 2^r."""
        ...

    @property
    def shape(self) -> tuple[int, int]:
        """`(D, L)`."""
        ...

    def of(self, symbols: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return starts and masses `[D, L]`, uint64, of symbols `[D, L]`."""
        ...

    def find(self, position: int, integers: np.ndarray) -> Found:
        """Return the symbols of one position whose intervals hold these integers `[L]`."""
        ...


def precision_for(num_symbols: int) -> int:
    """Return the number of bits at which the least mass of every symbol takes 1 / 4096 of the whole, or less.

    >>> precision_for(2), precision_for(256)
    (16, 20)
    """
    return min(max(LEAST_PRECISION, SPARE + max(num_symbols - 1, 1).bit_length()), MAX_PRECISION)


@dataclasses.dataclass(frozen=True, eq=False)
class Uniform:
    """Symbols 0 to 2^r - 1 of the same mass."""

    shape: tuple[int, int]
    precision: int

    def of(self, symbols: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return starts and masses of 1."""
        return symbols.astype(np.uint64), np.ones(symbols.shape, np.uint64)

    def find(self, position: int, integers: np.ndarray) -> Found:
        """Return the integers themselves."""
        return integers.astype(np.int64), integers, np.ones_like(integers)


@dataclasses.dataclass(frozen=True, eq=False)
class Binary:
    """Symbols 0 and 1; the interval of 0 comes first."""

    zeros: np.ndarray
    """`[D, L]` masses of 0, uint64."""
    precision: int = LEAST_PRECISION

    @classmethod
    def from_ones(cls, probabilities: np.ndarray) -> Binary:
        """Make masses of the probabilities `[D, L]` of a 1."""
        whole = 1 << LEAST_PRECISION
        ones = np.floor(checked(probabilities) * (whole - 2)) + 1
        return cls(whole - ones.astype(np.uint64))

    @property
    def shape(self) -> tuple[int, int]:
        """`(D, L)`."""
        return self.zeros.shape

    def of(self, symbols: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return starts and masses."""
        ones = symbols.astype(bool)
        return self._intervals(ones, self.zeros)

    def find(self, position: int, integers: np.ndarray) -> Found:
        """Return the symbols that hold these integers."""
        zeros = self.zeros[position]
        ones = integers >= zeros
        return ones, *self._intervals(ones, zeros)

    def _intervals(self, ones: np.ndarray, zeros: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.where(ones, zeros, np.uint64(0)), np.where(ones, np.uint64(1 << self.precision) - zeros, zeros)


@dataclasses.dataclass(frozen=True, eq=False)
class Table:
    """Symbols 0 to K - 1 with a mass each."""

    ends: np.ndarray
    """`[D, L, K]` ends of the intervals, int64; the last is 2^r."""
    precision: int

    @classmethod
    def from_probabilities(cls, probabilities: np.ndarray) -> Table:
        """Make masses of probabilities `[D, L, K]`: 1 for every symbol, and the rest in proportion.

        The likeliest symbol gets the rest that rounding leaves.
        """
        size = probabilities.shape[-1]
        precision = precision_for(size)
        ends = np.floor(checked(probabilities) * ((1 << precision) - size)).astype(np.int64) + 1
        likeliest = probabilities.argmax(-1)[..., None]
        rest = (1 << precision) - ends.sum(-1, keepdims=True)
        np.put_along_axis(ends, likeliest, np.take_along_axis(ends, likeliest, -1) + rest, -1)
        return cls(np.cumsum(ends, axis=-1, out=ends), precision)

    @property
    def shape(self) -> tuple[int, int]:
        """`(D, L)`."""
        return self.ends.shape[:2]

    def of(self, symbols: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return starts and masses."""
        return self._intervals(symbols, self.ends)

    def find(self, position: int, integers: np.ndarray) -> Found:
        """Return the symbols that hold these integers."""
        ends = self.ends[position]
        symbols = (ends <= integers.astype(np.int64)[:, None]).sum(-1)
        return symbols, *self._intervals(symbols, ends)

    def _intervals(self, symbols: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        chosen = symbols.astype(np.int64)[..., None]
        stop = np.take_along_axis(ends, chosen, -1)[..., 0]
        start = np.where(symbols > 0, np.take_along_axis(ends, np.maximum(chosen - 1, 0), -1)[..., 0], 0)
        return start.astype(np.uint64), (stop - start).astype(np.uint64)


@dataclasses.dataclass(frozen=True, eq=False)
class Cumulative:
    """Symbols 0 to K - 1 by a distribution function, for many symbols of which a table would be large.

    The interval of symbol k begins at floor(F(k) (2^r - 2 K)) + 2 k, where F(k) is the probability of a smaller one: a
    mass is 1 or more even where F, computed in floating point, falls by its last digit. It is found by bisection.
    """

    function: Callable[..., np.ndarray]
    """Function from symbols and parameters, of one shape, to F in float64; its values are those of each element."""
    parameters: tuple[np.ndarray, ...]
    """Arrays `[D, L]`."""
    num_symbols: int

    def __post_init__(self) -> None:
        for array in self.parameters:
            refuse_nan(array)

    @property
    def precision(self) -> int:
        """Number of bits."""
        return precision_for(self.num_symbols)

    @property
    def shape(self) -> tuple[int, int]:
        """`(D, L)`."""
        return self.parameters[0].shape

    def of(self, symbols: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return starts and masses."""
        return self._intervals(symbols.astype(np.int64), self.parameters)

    def find(self, position: int, integers: np.ndarray) -> Found:
        """Return the symbols that hold these integers."""
        parameters = [of[position] for of in self.parameters]
        wanted = integers.astype(np.int64)
        low = np.zeros(len(wanted), np.int64)
        for bit in range((self.num_symbols - 1).bit_length() - 1, -1, -1):
            middle = low + (1 << bit)
            fits = self._start(np.minimum(middle, self.num_symbols), parameters) <= wanted
            low = np.where(fits & (middle < self.num_symbols), middle, low)
        return low, *self._intervals(low, parameters)

    def _intervals(self, symbols: np.ndarray, parameters: Any) -> tuple[np.ndarray, np.ndarray]:
        start = self._start(symbols, parameters)
        return start.astype(np.uint64), (self._start(symbols + 1, parameters) - start).astype(np.uint64)

    def _start(self, symbols: np.ndarray, parameters: Any) -> np.ndarray:
        below = np.clip(self.function(symbols, *parameters), 0.0, 1.0)
        below = np.where(symbols <= 0, 0.0, np.where(symbols >= self.num_symbols, 1.0, below))
        return np.floor(below * ((1 << self.precision) - 2 * self.num_symbols)).astype(np.int64) + 2 * symbols


@dataclasses.dataclass(frozen=True, eq=False)
class Where:
    """Intervals of the positions that are there; another has the whole interval for its symbol 0, and costs nothing."""

    intervals: Any
    there: np.ndarray
    """`[D, L]` booleans."""

    @property
    def precision(self) -> int:
        """Number of bits."""
        return self.intervals.precision

    @property
    def shape(self) -> tuple[int, int]:
        """`(D, L)`."""
        return self.there.shape

    def of(self, symbols: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return starts and masses."""
        return self._whole(self.there, *self.intervals.of(np.where(self.there, symbols, 0)))

    def find(self, position: int, integers: np.ndarray) -> Found:
        """Return the symbols that hold these integers."""
        there = self.there[position]
        symbols, *intervals = self.intervals.find(position, integers)
        return np.where(there, symbols, 0), *self._whole(there, *intervals)

    def _whole(self, there: np.ndarray, start: np.ndarray, mass: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.where(there, start, np.uint64(0)), np.where(there, mass, np.uint64(1 << self.precision))


def checked(probabilities: np.ndarray) -> np.ndarray:
    """Return probabilities in float64, refusing NaN."""
    values = np.asarray(probabilities, np.float64)
    refuse_nan(values)
    return np.clip(values, 0.0, 1.0)


def refuse_nan(values: np.ndarray) -> None:
    """Refuse what would be masses without meaning.

    Raises:
        FloatingPointError: a value is NaN.
    """
    if np.isnan(values).any():
        raise FloatingPointError("the outputs of a network hold NaN")
