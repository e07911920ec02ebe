"""Real numbers of a few decimals: each has the probability of all numbers that are nearest to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jaxvae.coding.codecs import Codec, mapped
from jaxvae.coding.family import Family, within
from jaxvae.coding.intervals import Cumulative
from jaxvae.types import Array

MOST_POINTS = 1 << 20
"""Largest number of points of a column: of more, the least masses would be a notable part of the whole."""
LEAST_SCALE = 1e-30
"""Least scale, so that a quotient by it is finite."""


def on_grid(
    arrays: Callable[[Any], Sequence[Array]],
    below: Callable[..., np.ndarray],
    points: Sequence[np.ndarray],
    mapped_points: Sequence[np.ndarray] | None = None,
) -> Family:
    """Return the family of the points of each column.

    Args:
        arrays: function from the distribution to its parameters, the second of which is a scale.
        below: distribution function of an edge and the parameters, all float64.
        points: values `[K]` of each of D columns, rising.
        mapped_points: the same on the scale of `below`.
    """
    columns, num = np.arange(len(points)), max(map(len, points))
    edges = np.full((len(points), num + 1), np.inf)
    for row, values in zip(edges, points if mapped_points is None else mapped_points):
        row[1 : len(values)] = (values[:-1] + values[1:]) / 2
    values = np.array([np.pad(values, (0, num - len(values)), mode="edge") for values in points])

    def symbols(x: np.ndarray) -> np.ndarray:
        middles = [(values[:-1] + values[1:]) / 2 for values in points]
        return np.stack([np.searchsorted(middle, row, side="right") for middle, row in zip(middles, x)])

    def chosen(found: np.ndarray) -> np.ndarray:
        return values[columns[:, None], found].astype(np.float32)

    def codec(*parameters: np.ndarray, there: np.ndarray | None = None) -> Codec:
        location, scale, *rest = (np.asarray(array, np.float64) for array in parameters)
        first = np.broadcast_to(columns[:, None] * (num + 1), location.shape)

        def function(symbols: np.ndarray, first: np.ndarray, *of: np.ndarray) -> np.ndarray:
            return below(edges.reshape(-1)[first + symbols], *of)

        given = (first, location, np.maximum(scale, LEAST_SCALE), *rest)
        return mapped(within(Cumulative(function, given, num), there), symbols, chosen)

    return Family(arrays, codec, lambda x: chosen(symbols(x)))
