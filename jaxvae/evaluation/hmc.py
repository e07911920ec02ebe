"""Hamiltonian Monte Carlo at any temperature of a path between two densities: the transition of annealed chains."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp

from jaxvae.types import Array, Key

LogDensity: TypeAlias = Callable[[Array], Array]


class Path(NamedTuple):
    """Unnormalised densities f_t(z) = start(z) ratio(z)^t, from t = 0 to 1; z `[D]` belongs to one chain."""

    log_start: LogDensity
    log_ratio: LogDensity


class Point(NamedTuple):
    """Position of a chain, and both parts of the path there, which give its density at every temperature."""

    z: Array
    """`[D]` position."""
    log_start: Array
    log_ratio: Array
    start_gradient: Array
    ratio_gradient: Array

    def energy(self, velocity: Array, temperature: Array) -> Array:
        """Compute H(z, v) = |v|^2 / 2 - log f_t(z)."""
        return 0.5 * jnp.square(velocity).sum() - self.log_start - temperature * self.log_ratio

    def force(self, temperature: Array) -> Array:
        """Compute the gradient of log f_t."""
        return self.start_gradient + temperature * self.ratio_gradient


def point_at(path: Path, z: Array) -> Point:
    """Evaluate a path and its gradient at z."""
    log_start, start_gradient = jax.value_and_grad(path.log_start)(z)
    log_ratio, ratio_gradient = jax.value_and_grad(path.log_ratio)(z)
    return Point(z, log_start, log_ratio, start_gradient, ratio_gradient)


def hmc_step(
    key: Key, point: Point, path: Path, *, temperature: Array, step_size: Array, num_leapfrog: int
) -> tuple[Point, Array]:
    r"""Sample a velocity v ~ N(0, I), integrate the trajectory, and accept or reject its end.

        accept with min(1, exp(H(z, v) - H(z', v'))),    H(z, v) = |v|^2 / 2 - log f_t(z)

    This leaves f_t invariant, and detailed balance holds.

    Args:
        key: one key.
        point: current position of the chain.
        path: densities, of which that at `temperature` is sampled.
        temperature: t, 0 to 1.
        step_size: step size of the leapfrog integrator.
        num_leapfrog: number of its steps; each evaluates the gradient once.

    Returns:
        New position of the chain, and the probability of acceptance.

    Reference: Neal 2011, https://arxiv.org/abs/1206.1901, section 3.2.
    """
    # One normal sample for both: its distribution function gives the uniform number.
    noise = jax.random.normal(key, (point.z.size + 1,))
    velocity, uniform = noise[:-1], jax.scipy.stats.norm.cdf(noise[-1])
    end, end_velocity = leapfrog(
        point, velocity, path, temperature=temperature, step_size=step_size, num_leapfrog=num_leapfrog
    )
    before, after = point.energy(velocity, temperature), end.energy(end_velocity, temperature)
    # A trajectory that left the range of float32 ends in inf or NaN, and is rejected.
    acceptance = jnp.where(jnp.isfinite(after), jnp.exp(jnp.minimum(0.0, before - after)), 0.0)
    return jax.tree.map(functools.partial(jnp.where, uniform < acceptance), end, point), acceptance


def leapfrog(
    point: Point, velocity: Array, path: Path, *, temperature: Array, step_size: Array, num_leapfrog: int
) -> tuple[Point, Array]:
    """Integrate Hamilton's equations reversibly: from the end, with negated velocity, it leads back."""

    def step(_: Any, state: tuple[Point, Array]) -> tuple[Point, Array]:
        point, velocity = state
        velocity = velocity + step_size / 2 * point.force(temperature)
        point = point_at(path, point.z + step_size * velocity)
        return point, velocity + step_size / 2 * point.force(temperature)

    return jax.lax.fori_loop(0, num_leapfrog, step, (point, velocity))
