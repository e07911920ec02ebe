"""Scaling of real values: fitted to a set, saved with the run, inverted in samples, counted in the likelihood."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from jaxvae.data import quantiles
from jaxvae.data.dataset import Dataset, Split
from jaxvae.data.quantiles import Knots
from jaxvae.data.rows import LazyRows, Rows, blocks
from jaxvae.data.spaces import Incomplete, Pixels, Real, Table
from jaxvae.data.spaces.table import OBSERVED, POSITIVE, SCALED, X
from jaxvae.data.spaces.values import full_scale
from jaxvae.errors import InputError
from jaxvae.types import Space

ScaleName = Literal["none", "unit", "standard", "quantile"]
CONSTANT = 1e-6
"""Deviation, relative to the largest value, below which a column counts as constant and keeps its scale."""


class Scaling(NamedTuple):
    """Rising map of every value, x' = (x - shift) / factor, or the normal score of x where its column has knots."""

    kind: ScaleName
    shift: np.ndarray
    """`[D]` for vectors, `[C]` for images."""
    factor: np.ndarray
    """`[D]` or `[C]`, above 0."""
    knots: Mapping[int, Knots] = MappingProxyType({})
    """Knots of the columns that are replaced by their normal scores, by the columns' numbers."""

    def apply(self, x: ArrayLike) -> np.ndarray:
        """Scale values `[..., D]`, in float32."""
        x = np.asarray(x, np.float64)
        return self._by_knots(Knots.apply, x, (x - self.shift) / self.factor).astype(np.float32)

    def undo(self, x: ArrayLike, *, generated: bool = False) -> np.ndarray:
        """Convert scaled values `[..., D]` back to the data's units, in float32.

        Args:
            x: scaled values.
            generated: True for values that a model drew, see `Knots.undo_drawn`.
        """
        x = np.asarray(x, np.float64)
        function = Knots.undo_drawn if generated else Knots.undo
        return self._by_knots(function, x, x * self.factor + self.shift).astype(np.float32)

    def undo_examples(self, x: Any, *, generated: bool = False) -> Any:
        """Convert examples back; of a table the values that are observed."""
        if not isinstance(x, Mapping):
            return self.undo(x, generated=generated)
        return {**x, X: np.where(x[OBSERVED], self.undo(x[X], generated=generated), 0)}

    def log_slopes(self, x: np.ndarray) -> np.ndarray:
        """Return `[..., D]` log |dx'/dx| of every scaled value x', in nats."""
        x = np.asarray(x, np.float64)
        return self._by_knots(Knots.log_slope, x, np.broadcast_to(-np.log(self.factor), x.shape).copy())

    def log_jacobian(self, shape: tuple[int, ...]) -> float:
        """Compute log |dx'/dx| of one example, in nats: log p(x) = log p(x') + log |dx'/dx|; not with knots."""
        return float(-np.log(np.broadcast_to(self.factor, shape)).sum())

    def _by_knots(self, function: Any, x: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Put the results of a function of knots and values in the columns that have knots."""
        for column, knots in self.knots.items():
            values[..., column] = function(knots, x[..., column])
        return values

    def to_json(self) -> dict[str, Any]:
        """Return plain values, as the manifest holds them."""
        knots = {
            str(column): [values.tolist() for values in knots if values is not None]
            for column, knots in self.knots.items()
        }
        affine = {"kind": self.kind, "shift": self.shift.tolist(), "factor": self.factor.tolist()}
        return {**affine, **({"knots": knots} if knots else {})}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Scaling:
        """Invert `to_json`."""
        knots = {int(column): Knots(*map(np.asarray, of)) for column, of in values.get("knots", {}).items()}
        return cls(values["kind"], np.asarray(values["shift"]), np.asarray(values["factor"]), knots)


def default_scale(space: Space) -> ScaleName:
    """Return the scaling where none is asked for: mean 0 and deviation 1 for real numbers, normal scores in tables."""
    return {"real": "standard", "table": "quantile"}.get(space.kind, "none")  # type: ignore[return-value]


def fit_scaling(kind: ScaleName, data: Dataset) -> Scaling:
    """Fit a scaling to a set.

    Args:
        kind: `standard`: mean 0 and deviation 1 over the training split; `quantile`: the normal scores of its columns,
            see `quantiles.fit`; `unit`: the whole set's range becomes [0, 1].
        data: set with its stored values.

    Raises:
        InputError: its values are no numbers to be scaled.
    """
    if data.space.kind in ("counts", "tokens"):
        raise InputError(f"scale: {data.name} holds {data.space.kind}, which are not scaled; leave it out")
    if isinstance(data.space, Table):
        if kind == "unit":
            raise InputError(f"scale: {data.name} is a table, which is scaled to quantile, standard or none")
        return _fit_table(kind, data.train.x, data.space)
    if isinstance(data.space, Incomplete):
        return _fit_incomplete(kind, data.train.x)
    if kind == "quantile" and len(data.shape) > 1:
        raise InputError(f"scale: quantile is for columns, and {data.name} holds {data.shape}; choose standard")
    if kind == "unit":
        splits = [split.x for split in (data.train, data.validation, data.test) if split]
        low, high = _extremes(splits)
        return Scaling(kind, low, _usable(high - low, high))
    mean, deviation, largest = _moments(data.train.x)
    factor = _usable(deviation, largest)
    if kind == "standard":
        return Scaling(kind, mean, factor)
    columns = _columns(data.train.x[:]).T
    return Scaling(kind, mean, factor, _knots(enumerate(columns)))


def scaled(data: Dataset, scaling: Scaling) -> Dataset:
    """Return the same set with scaled values, and its scaling."""
    space: Space = Pixels(data.shape) if scaling.kind == "unit" else Real(data.shape)
    space = data.space if isinstance(data.space, Table | Incomplete) else space
    return data.map_examples(lambda x: scaled_examples(x, scaling), space)._replace(scaling=scaling)


def scaled_examples(x: Any, scaling: Scaling) -> Any:
    """Scale stored rows `[N, ...]`, of which bytes mean [0, 1]; of a table the values that are observed."""
    return {**x, X: _scaled_table(x, scaling)} if isinstance(x, Mapping) else _scaled_rows(x, scaling)


def log_jacobians(scaling: Scaling, x: Any) -> np.ndarray:
    """Return `[N]` log |dx'/dx| of stored examples in nats; of a table that of their observed values."""
    if isinstance(x, Mapping):
        slopes = scaling.log_slopes(x[X][:]) * np.asarray(x[OBSERVED][:])
        return slopes.reshape(len(slopes), -1).sum(axis=1)
    if scaling.knots:
        return scaling.log_slopes(x[:]).sum(axis=1)
    return np.full(len(x), scaling.log_jacobian(x.shape[1:]))


def mean_log_jacobian(scaling: Scaling, split: Split) -> float:
    """Return the mean of `log_jacobians` over a split."""
    return float(log_jacobians(scaling, split.x).mean())


def _fit_table(kind: ScaleName, x: Mapping[str, Rows], table: Table) -> Scaling:
    """Fit a scaling to the observed values of each column.

    Categories and counts keep their numbers, and positive numbers are divided by their geometric mean.
    """
    scaled = table.of_kind(*SCALED)
    rows, observed = np.asarray(x[X][:], np.float64), np.asarray(x[OBSERVED][:])
    columns = [values[there] for values, there in zip(rows.T, observed.T)]
    shift, factor = np.zeros(len(columns)), np.ones(len(columns))
    for number, values in enumerate(columns):
        if scaled[number] and len(values):
            shift[number], factor[number] = values.mean(), _usable(values.std(), np.abs(values).max())
        elif table.kinds[number] == POSITIVE and len(values):
            factor[number] = np.exp(np.log(values).mean())
    if kind == "standard":
        return Scaling(kind, shift, factor)
    return Scaling(kind, shift, factor, _knots((int(number), columns[number]) for number in np.flatnonzero(scaled)))


def _fit_incomplete(kind: ScaleName, x: Mapping[str, Rows]) -> Scaling:
    """Fit mean and deviation to the observed values of each channel."""
    if kind != "standard":
        raise InputError(f"scale: values with gaps are scaled to standard or none, not to {kind}; choose one of these")
    rows, observed = _columns(x[X][:]), np.asarray(x[OBSERVED][:]).reshape(-1, x[X].shape[-1])
    count = np.maximum(observed.sum(axis=0), 1)
    mean = rows.sum(axis=0) / count
    deviation = np.sqrt(np.where(observed, np.square(rows - mean), 0).sum(axis=0) / count)
    return Scaling(kind, mean, _usable(deviation, np.abs(rows).max(axis=0)))


def _knots(columns: Iterable[tuple[int, np.ndarray]]) -> dict[int, Knots]:
    fitted = {number: quantiles.fit(values) for number, values in columns}
    return {number: knots for number, knots in fitted.items() if knots is not None}


def _scaled_table(x: Mapping[str, Rows], scaling: Scaling) -> np.ndarray:
    return np.where(x[OBSERVED][:], scaling.apply(x[X][:]), 0).astype(np.float32)


def _scaled_rows(rows: Rows, scaling: Scaling) -> Rows:
    lazy = LazyRows(lambda ids: scaling.apply(_values(rows[ids])), rows.shape, np.dtype(np.float32))
    return lazy[:] if isinstance(rows, np.ndarray) else lazy


def _values(block: np.ndarray) -> np.ndarray:
    return block / full_scale(block)


def _extremes(splits: list[Rows]) -> tuple[np.ndarray, np.ndarray]:
    columns = [_columns(block) for rows in splits for block in blocks(rows)]
    return np.min([c.min(axis=0) for c in columns], axis=0), np.max([c.max(axis=0) for c in columns], axis=0)


def _moments(rows: Rows) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Compute mean, standard deviation and largest absolute value of each column, in two passes."""
    count = math.prod(rows.shape[:-1])
    mean = np.sum([_columns(block).sum(axis=0) for block in blocks(rows)], axis=0) / count
    squares = np.sum([np.square(_columns(block) - mean).sum(axis=0) for block in blocks(rows)], axis=0)
    largest = np.max([np.abs(_columns(block)).max(axis=0) for block in blocks(rows)], axis=0)
    return mean, np.sqrt(squares / count), largest


def _columns(block: np.ndarray) -> np.ndarray:
    return _values(block).astype(np.float64).reshape(-1, block.shape[-1])


def _usable(factor: np.ndarray, largest: np.ndarray) -> np.ndarray:
    return np.where(factor > CONSTANT * np.abs(largest), factor, 1.0)
