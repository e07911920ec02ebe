"""Posterior heads: the encoder's output array becomes a distribution q(z|x) over the last axis."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import jax.numpy as jnp
import numpy as np

from jaxvae.distributions import Delta, MultivariateNormal, Normal
from jaxvae.distributions.base import at_least_float32, cast_like, halves
from jaxvae.distributions.multivariate_normal import diagonal_matrix
from jaxvae.facts import Facts
from jaxvae.types import Array


def normal(outputs: Array | tuple[Array, Array]) -> Normal:
    """Return a diagonal normal from `[..., 2D]`, or from means and log-variances `[..., D]`."""
    return Normal(*halves(outputs))


def multivariate_normal(outputs: Array) -> MultivariateNormal:
    """Return a normal with full covariance from `[..., D + D (D + 1) / 2]`.

    The mean comes first, then log-variances, whose halves are the logarithms of the Cholesky factor's diagonal, then
    its strict lower triangle row by row.
    """
    dim = _dimension_of_full_covariance(outputs.shape[-1])
    mean, log_var, lower = jnp.split(at_least_float32(outputs), [dim, 2 * dim], axis=-1)
    rows, columns = np.tril_indices(dim, -1)
    cholesky = diagonal_matrix(jnp.exp(0.5 * log_var)).at[..., rows, columns].set(lower)
    return MultivariateNormal(cast_like(mean, outputs), cast_like(cholesky, outputs))


def delta(outputs: Array) -> Delta:
    """Return a point mass at `[..., D]`, the code of a plain autoencoder."""
    return Delta(outputs)


def _dimension_of_full_covariance(num_outputs: int) -> int:
    """Solve D + D (D + 1) / 2 = num_outputs."""
    dim = (int((9 + 8 * num_outputs) ** 0.5) - 3) // 2
    if FullNormal().num_outputs(dim) != num_outputs:
        raise ValueError(
            f"outputs: {num_outputs} encoder outputs are not D + D (D + 1) / 2 for any D (2, 5, 9, 14, ...)"
        )
    return dim


@dataclasses.dataclass(frozen=True)
class DiagonalNormal:
    """Normal with a mean and a variance for each latent dimension."""

    def num_outputs(self, latent_dim: int) -> int:
        """Return the number of encoder outputs, 2D."""
        return 2 * latent_dim

    def build(self, facts: Facts) -> Callable[[Array], Normal]:
        """Return the head."""
        del facts
        return normal


@dataclasses.dataclass(frozen=True)
class FullNormal:
    """Normal with a full covariance matrix."""

    def num_outputs(self, latent_dim: int) -> int:
        """Return the number of encoder outputs, D + D (D + 1) / 2."""
        return latent_dim + latent_dim * (latent_dim + 1) // 2

    def build(self, facts: Facts) -> Callable[[Array], MultivariateNormal]:
        """Return the head."""
        del facts
        return multivariate_normal


@dataclasses.dataclass(frozen=True)
class Point:
    """Point mass, the code of a plain autoencoder."""

    def num_outputs(self, latent_dim: int) -> int:
        """Return the number of encoder outputs, D."""
        return latent_dim

    def build(self, facts: Facts) -> Callable[[Array], Delta]:
        """Return the head."""
        del facts
        return delta
