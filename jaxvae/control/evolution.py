"""CMA-ES: evolution of a normal distribution towards points with high scores."""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxvae.types import Array, Key


class Evolution(NamedTuple):
    """State of the strategy: points are drawn from N(mean, sigma^2 covariance)."""

    step: Array
    mean: Array
    """`[N]`."""
    sigma: Array
    """Size of steps, by which the covariance is multiplied."""
    covariance: Array
    """`[N, N]`."""
    sigma_path: Array
    """`[N]` evolution path of the mean in coordinates without correlations, by which sigma changes."""
    covariance_path: Array
    """`[N]` evolution path of the mean."""


def begin(num: int, sigma: float = 1.0) -> Evolution:
    """Return the state before the first generation of points `[num]`: N(0, sigma^2 I)."""
    zeros = jnp.zeros(num)
    return Evolution(jnp.zeros((), jnp.int32), zeros, jnp.asarray(sigma, zeros.dtype), jnp.eye(num), zeros, zeros)


@functools.partial(jax.jit, static_argnames="population")
def ask(key: Key, state: Evolution, population: int) -> Array:
    """Draw the points of a generation, `[population, N]`."""
    axes, lengths = _axes(state.covariance)
    noise = jax.random.normal(key, (population, len(state.mean)))
    return state.mean + state.sigma * (noise * lengths) @ axes.T


@jax.jit
def tell(state: Evolution, points: Array, scores: Array) -> Evolution:
    """Return the state after a generation: the mean moves to its better half, covariance and sigma follow.

    Args:
        state: state from which the points were drawn.
        points: `[population, N]`.
        scores: `[population]`, higher is better.

    Reference: Hansen 2016, The CMA evolution strategy: a tutorial, https://arxiv.org/abs/1604.00772, appendix A, with
    its default rates and without negative weights.
    """
    num, (population, _) = len(state.mean), points.shape
    weights, mass = _weights(population)
    rate_sigma, damping, rate_path, rate_one, rate_mu = _rates(num, mass)
    best = jnp.argsort(-scores)[: len(weights)]
    steps = (points[best] - state.mean) / state.sigma
    step = weights @ steps
    axes, lengths = _axes(state.covariance)
    whitened = axes @ ((axes.T @ step) / lengths)
    sigma_path = (1 - rate_sigma) * state.sigma_path + math.sqrt(rate_sigma * (2 - rate_sigma) * mass) * whitened
    length, usual = jnp.linalg.norm(sigma_path), math.sqrt(num) * (1 - 1 / (4 * num) + 1 / (21 * num**2))
    # A sudden long path says that sigma is too small, and would blow up the covariance.
    settled = 1 - (1 - rate_sigma) ** (2 * (state.step + 1))
    steady = (length / jnp.sqrt(settled) < (1.4 + 2 / (num + 1)) * usual).astype(step.dtype)
    path = (1 - rate_path) * state.covariance_path + steady * math.sqrt(rate_path * (2 - rate_path) * mass) * step
    lost = (1 - steady) * rate_path * (2 - rate_path)
    covariance = (
        (1 - rate_one - rate_mu + rate_one * lost) * state.covariance
        + rate_one * jnp.outer(path, path)
        + rate_mu * (weights * steps.T) @ steps
    )
    return Evolution(
        step=state.step + 1,
        mean=state.mean + state.sigma * step,
        sigma=state.sigma * jnp.exp(rate_sigma / damping * (length / usual - 1)),
        covariance=covariance,
        sigma_path=sigma_path,
        covariance_path=path,
    )


def _axes(covariance: Array) -> tuple[Array, Array]:
    """Return the principal axes as columns, and the deviation along each."""
    variances, axes = jnp.linalg.eigh((covariance + covariance.T) / 2)
    return axes, jnp.sqrt(jnp.maximum(variances, 1e-12))


def _weights(population: int) -> tuple[np.ndarray, float]:
    """Return the weights of the better half, best first, and their effective number."""
    ranks = np.arange(1, population // 2 + 1)
    weights = math.log((population + 1) / 2) - np.log(ranks)
    weights = (weights / weights.sum()).astype(np.float32)
    return weights, float(1 / np.square(weights).sum())


def _rates(num: int, mass: float) -> tuple[float, float, float, float, float]:
    """Return the rate and damping of sigma, that of the covariance's path, and those of its two updates."""
    rate_sigma = (mass + 2) / (num + mass + 5)
    damping = 1 + 2 * max(0, math.sqrt((mass - 1) / (num + 1)) - 1) + rate_sigma
    rate_path = (4 + mass / num) / (num + 4 + 2 * mass / num)
    rate_one = 2 / ((num + 1.3) ** 2 + mass)
    rate_mu = min(1 - rate_one, 2 * (mass - 2 + 1 / mass) / ((num + 2) ** 2 + mass))
    return rate_sigma, damping, rate_path, rate_one, rate_mu
