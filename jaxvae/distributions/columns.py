"""Distribution of the rows of a table, whose columns are of different kinds and may have missing values."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import jax.numpy as jnp
import numpy as np

from jaxvae import rng
from jaxvae.distributions.base import at_least_float32, distribution, static
from jaxvae.types import Array, Distribution, Key

Row: TypeAlias = dict[str, Array]
"""Row of a table: "x" `[..., D]` values, and "observed" `[..., D]`, True where a value is known."""


@distribution
class Columns:
    """Product of independent columns, log p(x) = sum over observed d of log p_d(x_d).

    A missing value is not scored, whatever stands in its place: that is the marginal distribution of the others.
    """

    heads: tuple[Distribution, ...]
    """Distributions of `[..., n]` values, of `event_ndim` 0, each for n columns of one kind."""
    columns: tuple[tuple[int, ...], ...] = dataclasses.field(metadata={"static": True})
    """Numbers of the columns of each head; together 0 to D - 1."""
    event_ndim: int = static(default=1)

    @property
    def point(self) -> Row:
        """Representative row: means of numbers, and the likeliest of categories."""
        return self._row([head.mode if hasattr(head, "mode") else head.mean for head in self.heads])

    @property
    def mean(self) -> Row:
        """Expected values of numbers, and of the numbers of categories."""
        return self._row([head.mean for head in self.heads])

    def sample(self, key: Key) -> Row:
        """Sample rows in which everything is observed."""
        return self._row([head.sample(key) for head, key in zip(self.heads, rng.sample_keys(key, len(self.heads)))])

    def log_prob(self, value: Any) -> Array:
        """Return `[...]` nats of a row, or of an array `[..., D]` in which everything is observed."""
        x, observed = self._cells(value)
        total = jnp.zeros((), x.dtype)
        for head, columns in zip(self.heads, map(np.array, self.columns)):
            scores = head.log_prob(x[..., columns])
            total = total + jnp.where(observed[..., columns], scores, 0.0).sum(-1)
        return total

    def _cells(self, value: Any) -> tuple[Array, Array]:
        """Return values, 0 where they are missing, and where they are observed."""
        x = at_least_float32(value["x"] if isinstance(value, Mapping) else value)
        num_columns = sum(map(len, self.columns))
        if x.shape[-1:] != (num_columns,):
            raise ValueError(f"value {x.shape} is no row of a table of {num_columns} columns")
        observed = jnp.asarray(value["observed"], bool) if isinstance(value, Mapping) else jnp.ones(x.shape, bool)
        return jnp.where(observed, x, 0.0), observed

    def _row(self, parts: Sequence[Array]) -> Row:
        order = np.argsort(np.concatenate(self.columns))
        x = jnp.concatenate([at_least_float32(part) for part in parts], axis=-1)[..., order]
        return {"x": x, "observed": jnp.ones(x.shape, bool)}
