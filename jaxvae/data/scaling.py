"""Scaling of real values: fitted to a set, saved with the run, inverted in samples, counted in the likelihood."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from jaxvae.data.dataset import Dataset, Split
from jaxvae.data.rows import LazyRows, Rows, blocks
from jaxvae.data.spaces import Pixels, Real, Table
from jaxvae.data.spaces.table import OBSERVED, X
from jaxvae.data.spaces.values import full_scale
from jaxvae.errors import InputError
from jaxvae.types import Space

ScaleName = Literal["none", "unit", "standard"]
CONSTANT = 1e-6
"""Deviation, relative to the largest value, below which a column counts as constant and keeps its scale."""


class Scaling(NamedTuple):
    """Affine map of every value, x' = (x - shift) / factor, with one shift and factor per column or channel."""

    kind: ScaleName
    shift: np.ndarray
    """`[D]` for vectors, `[C]` for images."""
    factor: np.ndarray
    """`[D]` or `[C]`, above 0."""

    def apply(self, x: ArrayLike) -> np.ndarray:
        """Scale values `[..., D]`, in float32."""
        return ((np.asarray(x, np.float64) - self.shift) / self.factor).astype(np.float32)

    def undo(self, x: ArrayLike) -> np.ndarray:
        """Convert scaled values `[..., D]` back to the data's units, in float32."""
        return (np.asarray(x, np.float64) * self.factor + self.shift).astype(np.float32)

    def undo_examples(self, x: Any) -> Any:
        """Convert examples back; of a table the values that are observed."""
        if not isinstance(x, Mapping):
            return self.undo(x)
        return {**x, X: np.where(x[OBSERVED], self.undo(x[X]), 0)}

    def log_jacobian(self, shape: tuple[int, ...]) -> float:
        """Compute log |dx'/dx| of one example, in nats: log p(x) = log p(x') + log |dx'/dx|."""
        return float(-np.log(np.broadcast_to(self.factor, shape)).sum())

    def to_json(self) -> dict[str, Any]:
        """Return plain values, as the manifest holds them."""
        return {"kind": self.kind, "shift": self.shift.tolist(), "factor": self.factor.tolist()}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Scaling:
        """Invert `to_json`."""
        return cls(values["kind"], np.asarray(values["shift"]), np.asarray(values["factor"]))


def default_scale(space: Space) -> ScaleName:
    """Return the scaling where none is asked for: real numbers get mean 0 and deviation 1."""
    return "standard" if space.kind in ("real", "table") else "none"


def fit_scaling(kind: ScaleName, data: Dataset) -> Scaling:
    """Fit a scaling to a set.

    Args:
        kind: `standard`: mean 0 and deviation 1 over the training split; `unit`: the whole set's range becomes [0, 1].
        data: set with its stored values.

    Raises:
        InputError: its values are no numbers to be scaled.
    """
    if data.space.kind in ("counts", "tokens"):
        raise InputError(f"scale: {data.name} holds {data.space.kind}, which are not scaled; leave it out")
    if isinstance(data.space, Table):
        if kind == "unit":
            raise InputError(f"scale: {data.name} is a table, which is scaled to standard or not at all (none)")
        return _fit_table(data.train.x, np.array(data.space.columns) == 0)
    if kind == "unit":
        splits = [split.x for split in (data.train, data.validation, data.test) if split]
        low, high = _extremes(splits)
        return Scaling(kind, low, _usable(high - low, high))
    mean, deviation, largest = _moments(data.train.x)
    return Scaling(kind, mean, _usable(deviation, largest))


def scaled(data: Dataset, scaling: Scaling) -> Dataset:
    """Return the same set with scaled values, and its scaling."""
    space: Space = Pixels(data.shape) if scaling.kind == "unit" else Real(data.shape)
    space = data.space if isinstance(data.space, Table) else space
    return data.map_examples(lambda x: scaled_examples(x, scaling), space)._replace(scaling=scaling)


def scaled_examples(x: Any, scaling: Scaling) -> Any:
    """Scale stored rows `[N, ...]`, of which bytes mean [0, 1]; of a table the values that are observed."""
    return {**x, X: _scaled_table(x, scaling)} if isinstance(x, Mapping) else _scaled_rows(x, scaling)


def log_jacobians(scaling: Scaling, x: Any) -> np.ndarray:
    """Return `[N]` log |dx'/dx| of stored examples in nats; of a table that of their observed values."""
    if isinstance(x, Mapping):
        return -(np.log(scaling.factor) * np.asarray(x[OBSERVED][:])).sum(axis=1)
    return np.full(len(x), scaling.log_jacobian(x.shape[1:]))


def mean_log_jacobian(scaling: Scaling, split: Split) -> float:
    """Return the mean of `log_jacobians` over a split."""
    return float(log_jacobians(scaling, split.x).mean())


def _fit_table(x: Mapping[str, Rows], real: np.ndarray) -> Scaling:
    """Fit mean and deviation of the observed values of each real column; categories keep their numbers."""
    observed = np.asarray(x[OBSERVED][:]) & real
    values = np.where(observed, x[X][:], np.nan).astype(np.float64)
    known = observed.any(axis=0)
    mean, deviation, largest = np.zeros(len(real)), np.zeros(len(real)), np.ones(len(real))
    mean[known] = np.nanmean(values[:, known], axis=0)
    deviation[known] = np.nanstd(values[:, known], axis=0)
    largest[known] = np.nanmax(np.abs(values[:, known]), axis=0)
    return Scaling("standard", mean, _usable(deviation, largest))


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
