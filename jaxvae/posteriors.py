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
    """`[..., 2D]`, or means and log-variances `[..., D]` -> a diagonal normal."""
    return Normal(*halves(outputs))


def multivariate_normal(outputs: Array) -> MultivariateNormal:
    """`[..., D + D (D + 1) / 2]` -> a normal with full covariance.

    The mean comes first, then log-variances, whose halves are the logarithms of the Cholesky factor's diagonal, then
    its strict lower triangle row by row.
    """
    dim = _dimension_of_full_covariance(outputs.shape[-1])
    mean, log_var, lower = jnp.split(at_least_float32(outputs), [dim, 2 * dim], axis=-1)
    rows, columns = np.tril_indices(dim, -1)
    cholesky = diagonal_matrix(jnp.exp(0.5 * log_var)).at[..., rows, columns].set(lower)
    return MultivariateNormal(cast_like(mean, outputs), cast_like(cholesky, outputs))


def delta(outputs: Array) -> Delta:
    """`[..., D]` -> a point: the plain autoencoder's code."""
    return Delta(outputs)


@dataclasses.dataclass(frozen=True)
class BottomUp:
    """q(z_1|x) q(z_2|z_1) ...: the encoder puts out the first, and a network makes each into the next."""

    networks: tuple[nn.Module, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "networks", tuple(self.networks))

    def init(self, key: Key, outputs: Array) -> Params:
        """Fresh parameters of the networks."""
        return init_links(key, normal(outputs).mean, self.networks)

    def __call__(self, outputs: Array, params: Params) -> Chain:
        """`[..., 2D]` -> a distribution over tuples."""
        return Chain(normal(outputs), links(params, self.networks))


class Posterior(NamedTuple):
    """A head and the width it asks of the encoder."""

    head: Callable[[Array], Distribution]
    num_outputs: Callable[[int], int]
    """Latent dimensions -> encoder outputs."""


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
