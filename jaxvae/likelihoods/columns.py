"""Likelihood of the rows of a table: a head for each kind of column."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import jax.numpy as jnp
import numpy as np

from jaxvae.distributions import Bernoulli, Categorical, Columns, Normal
from jaxvae.errors import InputError
from jaxvae.facts import Facts
from jaxvae.likelihoods.options import Likelihood
from jaxvae.types import Array, Distribution, Key, Params

REAL, BINARY = 0, 2
"""Number of categories that stands for real numbers, and that of two categories, which need one logit."""


@dataclasses.dataclass(frozen=True)
class ColumnsByKind(Likelihood):
    """Normal for real columns, Bernoulli for two categories, categorical for more; missing values are not scored."""

    support: ClassVar = "table"

    def link(self, mean: Array) -> None:
        """Return None: categories have no mean."""
        del mean

    def decoder_shape(self, facts: Facts) -> tuple[int, ...]:
        """Return the shape of means, logits and class logits, one kind after another."""
        return (sum(len(columns) * _width(size) for size, columns in _by_size(_columns(facts)).items()),)

    def build(self, facts: Facts) -> ColumnsHead:
        """Return the piece."""
        return ColumnsHead(_columns(facts))


@dataclasses.dataclass(frozen=True)
class ColumnsHead:
    """Likelihood of the columns of a table, with one learned variance for each real column."""

    columns: tuple[int, ...]
    """Number of categories of each column, 0 for real numbers."""

    def init(self, key: Key, outputs: Array) -> Params:
        """Start at a variance of 1 in all real columns."""
        del key, outputs
        return {"log_var": jnp.zeros(self.columns.count(REAL), jnp.float32)}

    def __call__(self, params: Params, outputs: Array) -> Columns:
        """Return p(x|z) from the decoder's outputs `[..., P]`."""
        kinds = _by_size(self.columns)
        widths = [len(columns) * _width(size) for size, columns in kinds.items()]
        parts = jnp.split(outputs, np.cumsum(widths)[:-1], axis=-1)
        log_var = params["likelihood"]["log_var"]
        heads = tuple(_head(size, part, log_var) for size, part in zip(kinds, parts))
        return Columns(heads, tuple(kinds.values()))


def _head(size: int, outputs: Array, log_var: Array) -> Distribution:
    if size == REAL:
        return Normal(outputs, jnp.broadcast_to(log_var, outputs.shape), event_ndim=0)
    if size == BINARY:
        return Bernoulli(outputs, event_ndim=0)
    return Categorical(outputs.reshape(*outputs.shape[:-1], -1, size), event_ndim=0)


def _width(size: int) -> int:
    return 1 if size in (REAL, BINARY) else size


def _by_size(columns: tuple[int, ...]) -> dict[int, tuple[int, ...]]:
    """Return the numbers of the columns of each number of categories."""
    return {size: tuple(np.flatnonzero(np.array(columns) == size).tolist()) for size in sorted(set(columns))}


def _columns(facts: Facts) -> tuple[int, ...]:
    space: Any = facts.space
    if not hasattr(space, "columns"):
        raise InputError(f"likelihood: columns scores rows of a table, got {type(space).__name__}; choose another")
    return space.columns
