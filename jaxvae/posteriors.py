"""Posterior heads: the encoder's output array becomes a distribution q(z|x) over the last axis."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from flax import linen as nn

from jaxvae.distributions import Chain, Delta, MultivariateNormal, Normal
from jaxvae.distributions.base import at_least_float32, cast_like, halves
from jaxvae.distributions.chain import init_links, links
from jaxvae.distributions.multivariate_normal import diagonal_matrix
from jaxvae.types import Array, Distribution, Key, Params


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


@dataclasses.dataclass(frozen=True)
class BottomUp:
    """Posterior q(z_1|x) q(z_2|z_1) ...: the encoder gives the first factor, a network each further one."""

    networks: tuple[nn.Module, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "networks", tuple(self.networks))

    def init(self, key: Key, outputs: Array) -> Params:
        """Initialise the parameters of the networks."""
        return init_links(key, normal(outputs).mean, self.networks)

    def __call__(self, outputs: Array, params: Params) -> Chain:
        """Return a distribution over tuples from `[..., 2D]`."""
        return Chain(normal(outputs), links(params, self.networks))


class Posterior(NamedTuple):
    """Head, and the number of encoder outputs that it needs."""

    head: Callable[[Array], Distribution]
    num_outputs: Callable[[int], int]
    """Function from the number of latent dimensions to that of encoder outputs."""


POSTERIORS = {
    "normal": Posterior(normal, lambda dim: 2 * dim),
    "multivariate_normal": Posterior(multivariate_normal, lambda dim: dim + dim * (dim + 1) // 2),
    "delta": Posterior(delta, lambda dim: dim),
}


def _dimension_of_full_covariance(num_outputs: int) -> int:
    """Solve D + D (D + 1) / 2 = num_outputs."""
    dim = (int((9 + 8 * num_outputs) ** 0.5) - 3) // 2
    if POSTERIORS["multivariate_normal"].num_outputs(dim) != num_outputs:
        raise ValueError(
            f"outputs: {num_outputs} encoder outputs are not D + D (D + 1) / 2 for any D (2, 5, 9, 14, ...)"
        )
    return dim
