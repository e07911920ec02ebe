"""Integer networks: dense layers of int8 weights, sums within int32, and activations by table.

Their outputs are the same on every processor. The sums are computed as float64 products of matrices: all partial sums
are integers below 2^31, which float64 holds exactly, so their order does not matter.

Reference: Balle, Johnston & Minnen 2019, https://research.google/pubs/pub48934/, whose networks are trained as
integers; these are rounded after training.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from jaxvae.coding.exact_tables import ACTIVATIONS, tabulated

LARGEST_WEIGHT = 127
"""Largest int8 weight."""
HALF = 1 << 12
"""Half the size of an activation's table: numbers before an activation lie in [-4096, 4095]."""
LARGEST = HALF - 1
"""Largest magnitude of a number behind an activation."""
LARGEST_SUM = 2**31 - 1
ROOM = 2
"""Ratio of the range of a layer's grid to the range that was seen."""
MOST_EXPONENT = 24
"""Largest magnitude of an exponent."""


class Dense(NamedTuple):
    """Layer of a trained network."""

    kernel: np.ndarray
    """`[in, out]`, float32."""
    bias: np.ndarray
    """`[out]`, float32."""


class Grids(NamedTuple):
    """Exponents of the grids before and behind a hidden layer's activation."""

    before: int
    behind: int


class Input(NamedTuple):
    """Integers that a network reads."""

    exponent: int
    """Exponent of their grid."""
    largest: int
    """Largest magnitude."""
    divisor: int = 1
    """Number by which they are divided: 255 for levels of 8 bits."""


@dataclasses.dataclass(frozen=True, eq=False)
class IntegerLayer:
    """Dense layer of integers."""

    weights: np.ndarray
    """`[in, out]` integers of magnitude up to 127, as float64."""
    bias: np.ndarray
    """`[out]` integers, as float64."""
    shifts: np.ndarray
    """`[out]` numbers of bits by which sums are shifted to the right, int64; to the left where negative."""
    table: np.ndarray | None
    """`[2 HALF]` outputs of the activation, int64; None for the last layer."""

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Map `[L, in]` to `[L, out]`, int64."""
        sums = x.astype(np.float64) @ self.weights + self.bias
        right = np.maximum(self.shifts, 0)
        found = ((sums.astype(np.int64) << np.maximum(-self.shifts, 0)) + (1 << right >> 1)) >> right
        if self.table is None:
            return np.clip(found, -LARGEST_SUM, LARGEST_SUM)
        return self.table[np.clip(found, -HALF, HALF - 1) + HALF]


@dataclasses.dataclass(frozen=True, eq=False)
class IntegerNet:
    """Layers of integers, one after another."""

    layers: tuple[IntegerLayer, ...]

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Map `[L, in]` to `[L, out]`, int64."""
        for layer in self.layers:
            x = layer(x)
        return x


def integer_net(
    dense: Sequence[Dense], activation: str, read: Input, grids: Sequence[Grids], outputs: int
) -> IntegerNet:
    """Return the integer network of trained layers, which depends on nothing else.

    Args:
        dense: layers.
        activation: name of the activation between them.
        read: what the first layer reads.
        grids: grids of each hidden layer, see `calibrated`.
        outputs: exponent of the grid of the outputs.
    """
    layers = []
    for layer, grid in zip(dense, grids):
        layers.append(_integer(layer, read, grid.before, _table(activation, grid)))
        read = Input(grid.behind, LARGEST)
    return IntegerNet((*layers, _integer(dense[-1], read, outputs, None)))


def calibrated(dense: Sequence[Dense], activation: str, read: Input, x: np.ndarray) -> list[Grids]:
    """Return the grids of each hidden layer that hold twice the range seen of examples `[N, in]`, integers."""
    grids: list[Grids] = []
    for layer in dense[:-1]:
        sums = x @ (np.float64(layer.kernel) / read.divisor * 2.0**-read.exponent) + layer.bias
        reach = ROOM * max(float(np.abs(sums).max(initial=0)), 2.0**-MOST_EXPONENT)
        before = _exponent(HALF / reach)
        ends = tabulated(ACTIVATIONS[activation], range(-HALF, HALF + 1, HALF), before, MOST_EXPONENT)
        behind = _exponent(LARGEST * 2.0**MOST_EXPONENT / max(int(np.abs(ends).max()), 1))
        grids.append(Grids(before, behind))
        x = _integer(layer, read, before, _table(activation, grids[-1]))(x)
        read = Input(behind, LARGEST)
    return grids


def _exponent(ratio: float) -> int:
    """Return the largest exponent e, within bounds, for which 2^e is not above the ratio."""
    return int(np.clip(np.frexp(ratio)[1] - 1, -MOST_EXPONENT, MOST_EXPONENT))


def _table(activation: str, grid: Grids) -> np.ndarray:
    found = tabulated(ACTIVATIONS[activation], range(-HALF, HALF), grid.before, grid.behind)
    return np.clip(found, -LARGEST, LARGEST)


def _integer(layer: Dense, read: Input, exponent: int, table: np.ndarray | None) -> IntegerLayer:
    """Round the weights of each output to the finest grid on which they are int8 and no sum leaves int32.

    Steps are powers of 2, and rounding is that of IEEE 754, so every machine finds the same integers.
    """
    kernel, bias = np.float64(layer.kernel) / read.divisor, np.float64(layer.bias)
    largest = np.maximum(np.abs(kernel).max(0, initial=0), 2.0**-MOST_EXPONENT)
    exponents = np.frexp(LARGEST_WEIGHT / largest)[1]
    while True:
        weights = np.rint(np.ldexp(kernel, exponents))
        biases = np.rint(np.ldexp(bias, exponents + read.exponent))
        sums = np.abs(weights).sum(0) * read.largest + np.abs(biases)
        over = (np.abs(weights).max(0, initial=0) > LARGEST_WEIGHT) | (sums > LARGEST_SUM)
        if not over.any():
            break
        exponents = exponents - over
    shifts = np.clip(exponents.astype(np.int64) + read.exponent - exponent, -31, 62)
    return IntegerLayer(weights, biases, shifts, table)
