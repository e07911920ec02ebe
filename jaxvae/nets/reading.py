"""Features of examples for an encoder of numbers: logarithms of counts, one-hot or learned vectors of categories."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn

from jaxvae.distributions.base import at_least_float32
from jaxvae.errors import InputError
from jaxvae.nets.network import Network
from jaxvae.types import Array

MOST_ONE_HOT, WIDEST = 30, 50
"""Most categories of a column that is read as a one-hot vector, and most numbers of a learned vector."""


class Reading(Network):
    """Encoder that reads features of an example instead of the example itself."""

    encoder: nn.Module
    features: Callable[[Any], Array]

    @nn.compact
    def __call__(self, x: Any, condition: Array | None = None) -> Any:
        """Map an example to the encoder's outputs."""
        features = self.features(x)
        return self.encoder(features) if condition is None else self.encoder(features, condition)


def log_counts(x: Array) -> Array:
    """Return log(1 + x).

    The size of an example as a whole (a cell's number of molecules, a document's length) is left in: give it as a
    condition where z should not depend on it.
    """
    return jnp.log1p(at_least_float32(x))


def filled_with_zeros(x: Any) -> Array:
    """Return the values of an example with gaps, 0 where they are missing, or where an imputation put its own."""
    return jnp.asarray(x["x"] if isinstance(x, Mapping) else x)


@dataclasses.dataclass(frozen=True)
class TableFeatures:
    """Function from a row of a table to numbers, 0 for what is missing, and to the mask of what is observed."""

    columns: tuple[int, ...]
    """Number of categories of each column, 0 for numbers."""
    kinds: tuple[str, ...]
    """Kind of each column."""
    left_out: tuple[int, ...] = ()
    """Numbers of the columns of categories that are read elsewhere."""

    def __call__(self, row: dict[str, Array]) -> Array:
        """Map `[B, D]` values to `[B, F]`: a number, of which positive ones and counts are logarithms, or one-hot."""
        observed = at_least_float32(row["observed"])
        numbers = np.flatnonzero(np.array(self.columns) == 0)
        parts = [self._numbers(row["x"])[..., numbers] * observed[..., numbers]]
        for column, size in enumerate(self.columns):
            if size and column not in self.left_out:
                known = observed[..., column, None]
                parts.append(jax.nn.one_hot(row["x"][..., column].astype(jnp.int32), size) * known)
        return jnp.concatenate([*parts, observed], axis=-1)

    def _numbers(self, x: Array) -> Array:
        positive, counts = (np.array([kind == which for kind in self.kinds]) for which in ("positive", "count"))
        x = jnp.where(positive, jnp.log(jnp.where(positive & (x > 0), x, 1.0)), x)
        return jnp.where(counts, jnp.log1p(jnp.where(counts, x, 0.0)), x)


class EmbeddedFeatures(Network):
    """Features of a row, behind them a learned vector for the category of each column that has many.

    A one-hot vector of thousands would make the first layer as large as the rest of the network, and most of its
    weights would be seen a few times. A vector has min(50, round(1.6 n^0.56)) numbers for n categories, a rule of thumb
    of fastai's library, and is 0 where the category is missing.
    """

    features: TableFeatures

    @nn.compact
    def __call__(self, row: dict[str, Array]) -> Array:
        """Map `[B, D]` values to `[B, F]`."""
        parts = [self.features(row)]
        for column in self.features.left_out:
            size = self.features.columns[column]
            vectors = nn.Embed(size, embedding_width(size), name=f"column_{column}")
            known = at_least_float32(row["observed"])[..., column, None]
            parts.append(vectors(row["x"][..., column].astype(jnp.int32)) * known)
        return jnp.concatenate(parts, axis=-1)


def embedding_width(num_categories: int) -> int:
    """Return the number of numbers of a category's learned vector.

    >>> [embedding_width(num) for num in (31, 100, 1000, 10_000)]
    [11, 21, 50, 50]
    """
    return min(WIDEST, round(1.6 * num_categories**0.56))


def table_features(columns: tuple[int, ...], kinds: tuple[str, ...]) -> Callable[[Any], Array]:
    """Return the features of a row: without parameters where no column of categories is large."""
    large = tuple(number for number, size in enumerate(columns) if size > MOST_ONE_HOT)
    features = TableFeatures(columns, kinds, large)
    return EmbeddedFeatures(features) if large else features


def reading(space: Any, encoder: nn.Module) -> nn.Module:
    """Return an encoder of numbers as one of examples of a space.

    Raises:
        InputError: examples are tokens.
    """
    kind = getattr(space, "kind", None)
    if kind == "tokens":
        raise InputError("networks: dense layers would read tokens as numbers; give --preset token_vae")
    if kind == "counts":
        return Reading(encoder, log_counts)
    if kind == "table":
        return Reading(encoder, table_features(space.columns, space.kinds))
    return Reading(encoder, filled_with_zeros) if getattr(space, "has_gaps", False) else encoder
