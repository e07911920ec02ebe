"""Tables of integers in place of exponentials, logarithms and distribution functions, the same on every processor.

They are computed in `decimal`, whose exp and ln are correctly rounded by its specification, and need not be stored.
A number x on a grid of exponent e is the integer round(x 2^e).
"""

from __future__ import annotations

import decimal
import functools
from collections.abc import Callable
from decimal import Decimal
from typing import NamedTuple

import numpy as np

CONTEXT = decimal.Context(prec=30, rounding=decimal.ROUND_HALF_EVEN)
"""Decimal arithmetic of 30 digits, of which rounding to integers leaves less than half."""
UNIT = 48
"""Exponent of the grid of probabilities."""
POSITION = 20
"""Exponent of the grid of the argument of a curve."""

ACTIVATIONS: dict[str, Callable[[Decimal], Decimal]] = {
    "relu": lambda x: max(x, Decimal(0)),
    "tanh": lambda x: 2 * _sigmoid(2 * x) - 1,
    "elu": lambda x: x if x > 0 else x.exp() - 1,
    "silu": lambda x: x * _sigmoid(x),
    "softplus": lambda x: max(x, Decimal(0)) + (1 + (-abs(x)).exp()).ln(),
}
"""Activations by name."""


class Curve(NamedTuple):
    """Rising function from [-L, L] to [0, 1], linear between points of a grid and constant outside."""

    points: np.ndarray
    """Values at -L to L, int64 of exponent `UNIT`."""
    exponent: int
    """Exponent of the grid of these points."""

    def at(self, x: np.ndarray) -> np.ndarray:
        """Return float64 probabilities, exactly, of int64 numbers of exponent `POSITION`."""
        fine = POSITION - self.exponent
        middle = len(self.points) // 2
        whole = np.clip((x >> fine) + middle, 0, len(self.points) - 2)
        part = np.clip(x - (whole - middle << fine), 0, 1 << fine)
        low = self.points[whole]
        return (low + ((self.points[whole + 1] - low) * part >> fine)) / float(1 << UNIT)

    def inverse(self, probabilities: np.ndarray, exponent: int) -> np.ndarray:
        """Return the numbers, int64 of an exponent, at which the curve first reaches int64 probabilities."""
        right = np.clip(np.searchsorted(self.points, probabilities), 1, len(self.points) - 1)
        low, high = self.points[right - 1], self.points[right]
        fine = exponent - self.exponent
        part = (np.clip(probabilities - low, 0, None) << fine) // np.maximum(high - low, 1)
        return (right - 1 - len(self.points) // 2 << fine) + np.minimum(part, 1 << fine)


def tabulated(function: Callable[[Decimal], Decimal], integers: range, exponent: int, of_values: int) -> np.ndarray:
    """Return the function of integers of one exponent, as int64 of another, rounded half to even."""
    with decimal.localcontext(CONTEXT):
        step, unit = _power_of_2(-exponent), _power_of_2(of_values)
        return np.array([int((function(n * step) * unit).to_integral_value()) for n in integers], np.int64)


@functools.cache
def normal_curve() -> Curve:
    """Return the distribution function of N(0, 1) between -8 and 8.

    It is the sum of the density by the trapezoidal rule with the first correction of Euler and Maclaurin, whose
    error is below 1e-15, divided by its limit.
    """
    exponent = 10
    with decimal.localcontext(CONTEXT):
        step = _power_of_2(-exponent)
        at = [n * step for n in range((8 << exponent) + 1)]
        density = [(-x * x / 2).exp() for x in at]
        slope = [-x * value for x, value in zip(at, density)]
        sums = [Decimal(0)]
        for n in range(len(at) - 1):
            area = step * (density[n] + density[n + 1]) / 2 - step * step * (slope[n + 1] - slope[n]) / 12
            sums.append(sums[-1] + area)
        unit = _power_of_2(UNIT - 1)
        above = np.array([int((value / sums[-1] * unit).to_integral_value()) for value in sums], np.int64)
    half = 1 << UNIT - 1
    return Curve(np.concatenate([half - above[:0:-1], half + above]), exponent)


@functools.cache
def logistic_curve() -> Curve:
    """Return 1 / (1 + exp(-x)) between -32 and 32."""
    exponent = 8
    reach = 32 << exponent
    return Curve(tabulated(_sigmoid, range(-reach, reach + 1), exponent, UNIT), exponent)


@functools.cache
def exponentials(first: int, last: int, exponent: int, of_values: int) -> np.ndarray:
    """Return exp of the integers from `first` to `last`."""
    return tabulated(lambda x: x.exp(), range(first, last + 1), exponent, of_values)


def _power_of_2(exponent: int) -> Decimal:
    return Decimal(1 << exponent) if exponent >= 0 else 1 / Decimal(1 << -exponent)


def _sigmoid(x: Decimal) -> Decimal:
    small = (-abs(x)).exp()
    return (small if x < 0 else 1) / (1 + small)
