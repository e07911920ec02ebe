"""Annealing from one density to another: chains whose weights estimate the ratio of the normalisers."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np

from jaxvae import rng
from jaxvae.evaluation.hmc import Path, Point, hmc_step, point_at
from jaxvae.types import Array, Key

ACCEPTANCE = 0.65
"""Target acceptance rate, as in Wu et al.: optimal for HMC in many dimensions (Neal 2011, section 4.4)."""
FEWEST_TUNING_TEMPERATURES = 100
TUNING_RATE = 0.5
"""Rate at which the logarithm of the step size follows the acceptance."""


def sigmoid_schedule(num: int) -> Array:
    """Return `[num + 1]` temperatures from 0 to 1, densest at both ends, as a sigmoid rises from -4 to 4.

    >>> print(*(f"{temperature:.3f}" for temperature in sigmoid_schedule(4)))
    0.000 0.105 0.500 0.895 1.000
    """
    values = jax.nn.sigmoid(jnp.linspace(-4.0, 4.0, num + 1))
    return (values - values[0]) / (values[-1] - values[0])


def tune(key: Key, z: Array, path: Path, *, num_temperatures: int, num_leapfrog: int) -> Array:
    """Find step sizes by chains on a coarser schedule, which are then discarded: annealing needs fixed step sizes.

    Args:
        key: one key.
        z: `[C, D]` samples of the path's start.
        path: densities to anneal between.
        num_temperatures: T.
        num_leapfrog: see `hmc_step`.

    Returns:
        `[T + 1]` step sizes, one for each temperature of `sigmoid_schedule(T)`.
    """
    num = max(num_temperatures // 10, FEWEST_TUNING_TEMPERATURES)

    def step(carry: tuple[Point, Array], at: tuple[Array, Array]) -> tuple[tuple[Point, Array], Array]:
        points, log_step_size = carry
        number, temperature = at
        points, acceptance = _move(
            rng.stream(key, "move", number), temperature, jnp.exp(log_step_size), points, path, num_leapfrog
        )
        return (points, log_step_size + TUNING_RATE * (acceptance - ACCEPTANCE)), log_step_size

    start = (_points(path, z), jnp.zeros(()))
    _, log_step_sizes = jax.lax.scan(step, start, (jnp.arange(num + 1), sigmoid_schedule(num)))
    return jnp.exp(log_step_sizes)[np.arange(num_temperatures + 1) * num // num_temperatures]


def anneal(
    key: Key, z: Array, path: Path, *, temperatures: Array, step_sizes: Array, num_leapfrog: int
) -> tuple[Array, Array]:
    r"""Anneal from the first temperature to the last, with one step of HMC at each between.

        log w = sum_t (b_t - b_{t-1}) log ratio(z_{t-1}),    E[w] = Z_last / Z_first

    with Z_b the integral of f_b. A reversed schedule estimates the inverse ratio.

    Args:
        key: one key.
        z: `[C, D]` starting points: exact samples at the first temperature.
        path: the densities f_b.
        temperatures: `[T + 1]`, b.
        step_sizes: `[T + 1]`.
        num_leapfrog: see `hmc_step`.

    Returns:
        `[C]` log-weights, and the mean acceptance (NaN at T = 1, where there is no step).

    Reference: Neal 2001, https://arxiv.org/abs/physics/9803008, equations 3-11.
    """
    increments = jnp.diff(temperatures)

    def step(carry: tuple[Point, Array], at: tuple[Array, ...]) -> tuple[tuple[Point, Array], Array]:
        points, log_weights = carry
        number, increment, temperature, step_size = at
        log_weights = log_weights + increment * points.log_ratio
        points, acceptance = _move(rng.stream(key, "move", number), temperature, step_size, points, path, num_leapfrog)
        return (points, log_weights), acceptance

    between = (jnp.arange(len(increments) - 1), increments[:-1], temperatures[1:-1], step_sizes[1:-1])
    (points, log_weights), acceptance = jax.lax.scan(step, (_points(path, z), jnp.zeros(len(z))), between)
    return log_weights + increments[-1] * points.log_ratio, acceptance.mean()


def _points(path: Path, z: Array) -> Point:
    return jax.vmap(functools.partial(point_at, path))(z)


def _move(
    key: Key, temperature: Array, step_size: Array, points: Point, path: Path, num_leapfrog: int
) -> tuple[Point, Array]:
    """Take one step of HMC for each chain, and return their mean acceptance too."""

    def one(key: Key, point: Point) -> tuple[Point, Array]:
        return hmc_step(key, point, path, temperature=temperature, step_size=step_size, num_leapfrog=num_leapfrog)

    points, acceptance = jax.vmap(one)(rng.sample_keys(key, len(points.z)), points)
    return points, acceptance.mean()
