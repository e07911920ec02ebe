"""Normal distribution with a full covariance, given by its Cholesky factor."""

from __future__ import annotations

import functools
from typing import ClassVar

import jax
import jax.numpy as jnp
from jax.scipy.linalg import solve_triangular

from jaxvae.distributions.base import (
    Support,
    as_floats,
    broadcast_floats,
    cast_like,
    check_value,
    distribution,
    draw,
)
from jaxvae.distributions.normal import LOG_2PI
from jaxvae.types import Array, Key


def multivariate_gaussian_kl(mean: Array, cholesky: Array, prior_mean: Array, prior_cholesky: Array) -> Array:
    r"""Compute KL(N(m0, S0) || N(m1, S1)) with S = L L^T, from the Cholesky factors.

        1/2 [ tr(S1^-1 S0) - D + (m1 - m0)^T S1^-1 (m1 - m0) + log det S1 - log det S0 ]

    The trace is |L1^-1 L0|^2 (Frobenius), the Mahalanobis term |L1^-1 (m1 - m0)|^2, a log-determinant 2 sum log diag L:
    no covariance is inverted.

    Args:
        mean: `[..., D]`.
        cholesky: `[..., D, D]` lower triangular with a positive diagonal.
        prior_mean: `[..., D]`.
        prior_cholesky: `[..., D, D]`.

    Returns:
        `[...]` nats.

    >>> import jax.numpy as jnp
    >>> eye = jnp.eye(2)
    >>> print(multivariate_gaussian_kl(jnp.array([1.0, 1.0]), eye, jnp.zeros(2), eye))
    1.0

    It is the integral of q (log q - log p) over the plane, here for a correlation of 0.8:

    >>> import numpy as np
    >>> x, y = np.meshgrid(*[np.linspace(-8.0, 8.0, 161)] * 2)
    >>> log_p = -(x**2 + y**2) / 2 - np.log(2 * np.pi)
    >>> log_q = -(x**2 - 1.6 * x * y + y**2) / (2 * 0.36) - np.log(2 * np.pi * 0.6)
    >>> integral = (np.exp(log_q) * (log_q - log_p)).sum() * 0.1**2
    >>> cholesky = jnp.array([[1.0, 0.0], [0.8, 0.6]])
    >>> print(f"{integral:.5f} {multivariate_gaussian_kl(jnp.zeros(2), cholesky, jnp.zeros(2), eye):.5f}")
    0.51083 0.51083
    """
    mean, prior_mean = broadcast_floats(mean, prior_mean)
    cholesky, prior_cholesky = broadcast_floats(cholesky, prior_cholesky)
    mahalanobis = jnp.square(_solve(prior_cholesky, (mean - prior_mean)[..., None])).sum((-2, -1))
    trace = jnp.square(_solve(prior_cholesky, cholesky)).sum((-2, -1))
    log_det = 2 * (_log_diagonal(prior_cholesky) - _log_diagonal(cholesky)).sum(-1)
    trace, mahalanobis, log_det = broadcast_floats(trace, mahalanobis, log_det)
    return 0.5 * (trace - mean.shape[-1] + mahalanobis + log_det)


@distribution
class MultivariateNormal:
    """N(mean, L L^T); the last axis is one event."""

    support: ClassVar[Support] = "real"
    mean: Array
    """`[..., D]` mean."""
    cholesky: Array
    """`[..., D, D]` lower triangular with a positive diagonal."""

    @property
    def event_ndim(self) -> int:
        """Number of axes of one event, a vector."""
        return 1

    def sample(self, key: Key) -> Array:
        """Sample mean + L eps, differentiable in both."""
        mean, cholesky = as_floats(self.mean, self.cholesky)
        noise = draw(jax.random.normal, key, mean.shape, mean.dtype)
        mean, noise = broadcast_floats(mean, jnp.einsum("...ij,...j->...i", cholesky, noise))
        return cast_like(mean + noise, self.mean)

    def log_prob(self, value: Array) -> Array:
        """Return `[...]` nats."""
        check_value(value, jnp.shape(self.mean), self.event_ndim)
        value, mean, cholesky = as_floats(value, self.mean, self.cholesky)
        value, mean = broadcast_floats(value, mean)
        residual = _solve(cholesky, (value - mean)[..., None])[..., 0]
        residual, log_diagonal = broadcast_floats(residual, _log_diagonal(cholesky))
        return -0.5 * jnp.square(residual).sum(-1) - (0.5 * LOG_2PI + log_diagonal).sum(-1)


def _solve(triangular: Array, right: Array) -> Array:
    """Compute L^-1 R, where either may lack the other's leading axes."""
    leading = jnp.broadcast_shapes(triangular.shape[:-2], right.shape[:-2])
    triangular = jnp.broadcast_to(triangular, leading + triangular.shape[-2:])
    right = jnp.broadcast_to(right, leading + right.shape[-2:])
    triangular = jnp.tril(triangular)
    return jax.lax.custom_linear_solve(
        functools.partial(jnp.matmul, triangular),
        right,
        solve=lambda _, right: _forward_substitution(triangular, right),
        transpose_solve=lambda _, right: _backward_substitution(triangular, right),
    )


def _forward_substitution(lower: Array, right: Array) -> Array:
    # LAPACK's batches wait for threads of their own pool: with JAX 0.10, two concurrent ones hang on two cores.
    return jax.lax.platform_dependent(
        lower, right, cpu=_row_by_row, default=functools.partial(solve_triangular, lower=True)
    )


def _backward_substitution(lower: Array, right: Array) -> Array:
    """Compute L^-T R: reversed in both axes, L^T is lower triangular too."""
    turned = jnp.flip(jnp.matrix_transpose(lower), (-2, -1))
    return jnp.flip(_forward_substitution(turned, jnp.flip(right, -2)), -2)


def _row_by_row(lower: Array, right: Array) -> Array:
    def solve_row(i: Array, solved: Array) -> Array:
        row = jax.lax.dynamic_index_in_dim(lower, i, -2, keepdims=False)
        known = jnp.einsum("...j,...jk->...k", row, solved)  # rows from i on are 0 so far
        value = jax.lax.dynamic_index_in_dim(right, i, -2, keepdims=False) - known
        pivot = jax.lax.dynamic_index_in_dim(row, i, -1)
        return jax.lax.dynamic_update_index_in_dim(solved, value / pivot, i, -2)

    return jax.lax.fori_loop(0, lower.shape[-1], solve_row, jnp.zeros_like(right))


def diagonal_matrix(diagonal: Array) -> Array:
    """Expand `[..., D]` to diagonal matrices `[..., D, D]`."""
    on_it = jnp.eye(diagonal.shape[-1], dtype=bool)
    return jnp.where(jnp.broadcast_to(on_it, (*diagonal.shape, diagonal.shape[-1])), diagonal[..., None], 0)


def _log_diagonal(cholesky: Array) -> Array:
    return jnp.log(jnp.diagonal(cholesky, axis1=-2, axis2=-1))
