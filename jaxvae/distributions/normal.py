"""Diagonal normal, in the log-variance form that is finite where standard deviations overflow."""

from __future__ import annotations

import math
from typing import ClassVar

import jax
import jax.numpy as jnp

from jaxvae.distributions.base import (
    Support,
    at_least_float32,
    broadcast_floats,
    cast_like,
    check_prior,
    check_value,
    distribution,
    draw,
    event_rows,
    flatten_event,
    static,
)
from jaxvae.types import Array, Key

LOG_2PI = math.log(2 * math.pi)


def reparameterize(key: Key, mean: Array, log_var: Array) -> Array:
    r"""Sample z = mean + exp(log_var / 2) * eps with eps ~ N(0, I), differentiable in mean and log_var.

    Args:
        key: one key, or one key per leading index of `mean`.
        mean: `[..., D]`.
        log_var: `[..., D]`, the logarithm of the variance.

    Returns:
        `[..., D]` samples, computed in at least float32, in the dtype of `mean`.

    Raises:
        ValueError: `mean` and `log_var` differ in shape.

    Reference: Kingma & Welling 2014, https://arxiv.org/abs/1312.6114, section 2.4.

    >>> import jax, jax.numpy as jnp
    >>> reparameterize(jax.random.key(0), jnp.ones((2, 3)), jnp.full((2, 3), -jnp.inf))  # no variance, no noise
    Array([[1., 1., 1.],
           [1., 1., 1.]], dtype=float32)
    """
    check_same_shape(mean=mean, log_var=log_var)
    wide_mean, log_var = broadcast_floats(mean, log_var)
    noise = draw(jax.random.normal, key, wide_mean.shape, wide_mean.dtype)
    return cast_like(wide_mean + jnp.exp(0.5 * log_var) * noise, mean)


def gaussian_kl(
    mean: Array, log_var: Array, prior_mean: Array | float = 0.0, prior_log_var: Array | float = 0.0
) -> Array:
    r"""Compute KL(N(mean, exp(log_var)) || N(prior_mean, exp(prior_log_var))), with prior N(0, I) by default.

    With r = log_var - prior_log_var it is

        1/2 sum_d [ exp(r) - 1 - r + (mean - prior_mean)^2 / exp(prior_log_var) ]

    Args:
        mean: `[..., D]`.
        log_var: `[..., D]`.
        prior_mean: broadcasts against `mean`.
        prior_log_var: broadcasts against `log_var`.

    Returns:
        `[...]` nats, summed over the last axis.

    Raises:
        ValueError: `mean` and `log_var` differ in shape.

    Reference: Kingma & Welling 2014, appendix B (for N(0, I)).

    >>> import jax.numpy as jnp
    >>> print(gaussian_kl(jnp.array([[0.0, 0.0], [1.0, 0.0]]), jnp.zeros((2, 2))))
    [0.  0.5]

    It is the integral of q (log q - log p), here for a mean of 1 and a standard deviation of 1/2:

    >>> import numpy as np
    >>> z = np.linspace(-4.0, 6.0, 1001)
    >>> log_q = -((z - 1) ** 2) / (2 * 0.5**2) - np.log(0.5 * np.sqrt(2 * np.pi))
    >>> log_p = -(z**2) / 2 - np.log(np.sqrt(2 * np.pi))
    >>> integral = np.trapezoid(np.exp(log_q) * (log_q - log_p), z)
    >>> print(f"{integral:.5f} {gaussian_kl(jnp.array([1.0]), 2 * jnp.log(jnp.array([0.5]))):.5f}")
    0.81815 0.81815
    """
    check_same_shape(mean=mean, log_var=log_var)
    check_prior(jnp.shape(mean), jnp.broadcast_shapes(jnp.shape(prior_mean), jnp.shape(prior_log_var)), 1)
    return gaussian_kl_per_dimension(mean, log_var, prior_mean, prior_log_var).sum(-1)


def gaussian_kl_per_dimension(
    mean: Array, log_var: Array, prior_mean: Array | float = 0.0, prior_log_var: Array | float = 0.0
) -> Array:
    """Compute `gaussian_kl` before the sum: `[..., D]` nats."""
    mean, log_var, prior_mean, prior_log_var = broadcast_floats(mean, log_var, prior_mean, prior_log_var)
    log_ratio = log_var - prior_log_var
    shift = (mean - prior_mean) * jnp.exp(-0.5 * prior_log_var)
    # expm1 keeps the digits of exp(r) - 1 - r when the two variances almost agree.
    return 0.5 * (jnp.expm1(log_ratio) - log_ratio + jnp.square(shift))


def check_same_shape(**arrays: Array) -> None:
    """Raise a ValueError that names both arrays: broadcasting would hide the mistake."""
    (first, a), (second, b) = arrays.items()
    if jnp.shape(a) != jnp.shape(b):
        raise ValueError(f"{first} {jnp.shape(a)} and {second} {jnp.shape(b)} must have the same shape")


@distribution
class Normal:
    """Independent normals, log p(x) = -1/2 sum [ log 2pi + log_var + (x - mean)^2 / exp(log_var) ], all constants kept.

    A likelihood with a fixed log_var is the MSE loss: -log p = sum (x - mean)^2 / (2 sigma^2) + a constant.
    """

    support: ClassVar[Support] = "real"
    mean: Array
    log_var: Array
    event_ndim: int = static(default=1)

    def sample(self, key: Key) -> Array:
        """Sample with the reparameterization trick."""
        mean, log_var = jnp.broadcast_arrays(self.mean, self.log_var)
        return reparameterize(key, mean, log_var)

    def log_prob(self, value: Array) -> Array:
        """Return `[...]` nats."""
        value, mean, log_var = event_rows(self.event_ndim, value, self.mean, self.log_var)
        # Scaling the residual first keeps the square finite where exp(-log_var) alone would overflow.
        residual = (value - mean) * jnp.exp(-0.5 * log_var)
        return -0.5 * (LOG_2PI + log_var + jnp.square(residual)).sum(-1)

    def log_prob_by_each(self, value: Array) -> Array:
        """Score a value by each of the K normals of the first axis: `[..., K]` nats, for a mixture.

        One dimension after another is added, and computed anew for the gradient: on CPU this is 18 times as fast as
        arrays `[..., K, D]`, and it does not cancel as a product of matrices does.
        """
        check_value(value, self.mean.shape[1:], self.event_ndim)
        mean, log_var = broadcast_floats(self.mean, self.log_var)
        value, mean, log_var = (flatten_event(a, self.event_ndim) for a in (at_least_float32(value), mean, log_var))

        @jax.checkpoint
        def add(total: Array, dimension: tuple[Array, Array, Array]) -> tuple[Array, None]:
            value, mean, scale = dimension
            return total + jnp.square((value[..., None] - mean) * scale), None

        start = jnp.zeros_like(value[..., :1] + mean[:, 0])
        dimensions = jax.tree.map(lambda a: jnp.moveaxis(a, -1, 0), (value, mean, jnp.exp(-0.5 * log_var)))
        squares, _ = jax.lax.scan(add, start, dimensions)
        return -0.5 * (squares + (LOG_2PI + log_var).sum(-1))
