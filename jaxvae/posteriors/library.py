"""Posterior of codes and of the size of a cell's library, which is a latent variable."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import jax.numpy as jnp

from jaxvae.distributions import Normal
from jaxvae.distributions.base import at_least_float32, halves
from jaxvae.errors import InputError
from jaxvae.facts import Facts
from jaxvae.types import Array, Key, Params


@dataclasses.dataclass(frozen=True)
class LibraryPosterior:
    """Piece from `[B, 2 (D + 1)]` encoder outputs to the normal of z and, in the last dimension, of log l.

        q(log l | x) = N(log n + a, exp(b)),    n = sum_d x_d

    a and b are encoder outputs: the mean begins at the total that was observed, whatever the networks see of it.

    Reference: Lopez et al. 2018 (scVI), https://doi.org/10.1038/s41592-018-0229-2, where a second encoder gives both.
    """

    has_library: ClassVar[bool] = True
    """Mark for the likelihood, whose decoder passes the last dimension on."""

    def init(self, key: Key, outputs: Array) -> Params:
        """Return no parameters."""
        del key, outputs
        return {}

    def __call__(self, params: Params, outputs: Array, x: Array) -> Normal:
        """Return q(z, log l | x)."""
        del params
        mean, log_var = halves(at_least_float32(outputs))
        total = jnp.maximum(at_least_float32(x).sum(-1), 1.0)
        return Normal(mean.at[..., -1].add(jnp.log(total)), log_var)


@dataclasses.dataclass(frozen=True)
class Library:
    """Normal with a variance for each dimension, and behind them the logarithm of the library's size (scVI)."""

    def num_outputs(self, latent_dim: int) -> int:
        """Return the number of encoder outputs, 2 (D + 1)."""
        return 2 * (latent_dim + 1)

    def build(self, facts: Facts) -> LibraryPosterior:
        """Return the piece.

        Raises:
            InputError: examples are no vectors of counts.
        """
        if facts.space.kind != "counts" or len(facts.space.shape) != 1:
            raise InputError(
                f"posterior: only vectors of counts have a library, got {facts.space.kind}; choose another"
            )
        return LibraryPosterior()
