"""Nearest neighbours among examples, in latent space or in pixel space."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxvae.arguments import whole_number
from jaxvae.distributions.base import as_floats
from jaxvae.errors import InputError
from jaxvae.types import Array


class Neighbours(NamedTuple):
    """Nearest neighbours of each query, nearest first."""

    indices: Array
    """`[Q, k]` row numbers of the codes."""
    distances: Array
    """`[Q, k]` Euclidean distances."""


def nearest(queries: Array | np.ndarray, codes: Array | np.ndarray, k: int) -> Neighbours:
    """Find the k codes nearest to each query in Euclidean distance; equal distances are ordered by row.

    Integers and half precision are compared in float32. A query that is itself among the codes is its own nearest
    neighbour, with a distance of exactly 0. One query is compared at a time, so memory grows with N and not with Q N.

    Args:
        queries: `[Q, D]`, or any `[Q, ...]` such as images.
        codes: `[N, D]`, or `[N, ...]` like the queries.
        k: number of neighbours of each, at most N.

    Returns:
        Indices and distances, `[Q, k]` each.

    Raises:
        InputError: k is not from 1 to N, or queries and codes differ in their dimensions.

    >>> import jax.numpy as jnp
    >>> print(nearest(jnp.array([[0.0]]), jnp.array([[3.0], [1.0], [-1.0]]), 2).indices)
    [[1 2]]
    """
    k = whole_number("k", k, 1, len(codes))
    if queries.shape[1:] != codes.shape[1:]:
        raise InputError(f"queries: must have the codes' shape {codes.shape[1:]} each, got {queries.shape[1:]}")
    queries, codes = as_floats(queries, codes)
    rows = codes.reshape(len(codes), -1)

    def search(query: Array) -> Neighbours:
        negative, indices = jax.lax.top_k(-jnp.square(rows - query[None]).sum(-1), k)
        return Neighbours(indices, jnp.sqrt(-negative))

    return jax.lax.map(search, queries.reshape(len(queries), -1))
