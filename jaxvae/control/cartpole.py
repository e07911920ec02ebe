"""CartPole: a cart that is pushed to the left or right so that the pole on it stays up, as pure functions."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from jaxvae.types import Array, Key

GRAVITY, FORCE, SECONDS = 9.8, 10.0, 0.02
"""Acceleration in m/s^2, force of a push in N, length of a step in s."""
CART_MASS, POLE_MASS, HALF_POLE = 1.0, 0.1, 0.5
"""Masses in kg, and half the length of the pole in m."""
FARTHEST, STEEPEST = 2.4, math.radians(12)
"""Position in m and angle at which an episode ends."""
STEPS = 500
"""Greatest number of steps of an episode, which is its greatest return."""
START = 0.05
"""Greatest size of each number of a first state."""
QUANTITIES = ("position", "velocity", "angle", "angular velocity")


def begin(key: Key) -> Array:
    """Draw a first state `[4]`: position, velocity, angle and angular velocity, in m, rad and s."""
    return jax.random.uniform(key, (4,), minval=-START, maxval=START)


def step(state: Array, action: Array) -> Array:
    """Return the state `[4]` after a push to the left, action 0, or to the right, action 1.

        u = (F + m_p l w^2 sin(a)) / (m_c + m_p)
        dw/dt = (g sin(a) - cos(a) u) / (l (4/3 - m_p cos(a)^2 / (m_c + m_p)))
        dv/dt = u - m_p l dw/dt cos(a) / (m_c + m_p)

    a is the angle, w and v are the velocities; a step is one of Euler's.

    Reference: Barto, Sutton & Anderson 1983, https://doi.org/10.1109/TSMC.1983.6313077, in the form and with the
    constants of Gymnasium's CartPole-v1.

    >>> print(step(jnp.zeros(4), jnp.array(1)))
    [ 0.          0.19512196  0.         -0.29268292]
    """
    _, velocity, angle, spin = state
    mass = CART_MASS + POLE_MASS
    push = jnp.where(action == 1, FORCE, -FORCE)
    shared = (push + POLE_MASS * HALF_POLE * spin**2 * jnp.sin(angle)) / mass
    inertia = HALF_POLE * (4 / 3 - POLE_MASS * jnp.cos(angle) ** 2 / mass)
    spinning = (GRAVITY * jnp.sin(angle) - jnp.cos(angle) * shared) / inertia
    moving = shared - POLE_MASS * HALF_POLE * spinning * jnp.cos(angle) / mass
    return state + SECONDS * jnp.stack([velocity, moving, spin, spinning])


def failed(state: Array) -> Array:
    """Return True where the cart has left the track or the pole leans too far."""
    return (jnp.abs(state[..., 0]) > FARTHEST) | (jnp.abs(state[..., 2]) > STEEPEST)
