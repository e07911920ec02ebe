"""Frames of CartPole: cart and pole as grey pixels, each with the share of it that they cover."""

from __future__ import annotations

import jax.numpy as jnp

from jaxvae.types import Array

SIDE = 32
"""Height and width of a frame in pixels."""
VIEW = 2.8
"""Position in m at the edge of a frame."""
CART_TOP, CART_HEIGHT, CART_WIDTH = 26.0, 4.0, 8.0
POLE_LENGTH, POLE_WIDTH = 22.0, 3.0
"""Sizes in pixels; the pole is drawn longer than it is, so that its angle can be seen in few pixels."""


def draw(state: Array) -> Array:
    """Draw the frame `[32, 32, 1]` of a state `[4]`, with ink in [0, 1].

    It has no velocities in it. A pixel's ink is the share that is covered, so that a frame changes with every part of a
    pixel that something moves.
    """
    position, angle = state[0], state[2]
    middle = (position / VIEW + 1) * SIDE / 2
    cart = covered(CART_TOP, CART_TOP + CART_HEIGHT)[:, None] * covered(
        middle - CART_WIDTH / 2, middle + CART_WIDTH / 2
    )
    # Each row of pixels cuts the pole in an interval.
    centres = middle + (CART_TOP - jnp.arange(SIDE) - 0.5) * jnp.tan(angle)
    half = POLE_WIDTH / 2 / jnp.cos(angle)
    rows = covered(CART_TOP - POLE_LENGTH * jnp.cos(angle), CART_TOP)
    pole = rows[:, None] * covered((centres - half)[:, None], (centres + half)[:, None])
    return (cart + pole)[..., None]


def covered(low: Array | float, high: Array | float) -> Array:
    """Return the share of each of the `SIDE` pixels of a line that the interval from `low` to `high` covers.

    >>> print(covered(1.5, 3.0)[:4])
    [0.  0.5 1.  0. ]
    """
    left = jnp.arange(SIDE)
    return jnp.clip(jnp.minimum(high, left + 1) - jnp.maximum(low, left), 0, 1)
