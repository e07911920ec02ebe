"""Paths between codes: straight lines, arcs, and paths through several codes."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp

from jaxvae.arguments import whole_number
from jaxvae.distributions.base import as_floats, at_least_float32
from jaxvae.errors import InputError
from jaxvae.types import Array


def interpolate(z0: Array, z1: Array, num: int) -> Array:
    """Compute the straight line z(t) = (1 - t) z0 + t z1 at `num` equal steps of t, both ends included.

    Args:
        z0: `[..., D]` code or codes to begin with.
        z1: `[..., D]` code or codes to end with.
        num: number of points on the line, at least 2.

    Returns:
        `[num, ..., D]`.

    Raises:
        InputError: `num` is below 2, or the codes differ in shape.

    >>> import jax.numpy as jnp
    >>> print(interpolate(jnp.array([0.0, 1.0]), jnp.array([2.0, 1.0]), 3))
    [[0. 1.]
     [1. 1.]
     [2. 1.]]
    """
    t, z0, z1 = _ends(z0, z1, num)
    return (1 - t) * z0 + t * z1


def halfway(z0: Array, z1: Array) -> Array:
    """Compute `[..., D]` (z0 + z1) / 2, the mean of two codes."""
    _check_same_shape(z0, z1)
    z0, z1 = as_floats(z0, z1)
    return 0.5 * (z0 + z1)


def slerp(z0: Array, z1: Array, num: int) -> Array:
    """Compute the arc between two codes: the angle changes in equal steps, and the norm linearly from |z0| to |z1|.

        z(t) = ((1 - t) |z0| + t |z1|) (sin((1 - t) a) u0 + sin(t a) u1) / sin(a),   u = z / |z|,  a = angle(u0, u1)

    Normal samples in many dimensions lie near a sphere; an arc stays there, a straight line cuts through the inside.
    Where the formula has no value: between parallel codes, and from or to zero, the arc is the straight line; opposite
    codes, which have no unique shortest arc, are joined through the coordinate axis that is nearest to perpendicular;
    in one dimension, through zero.

    Args:
        z0: `[..., D]` code or codes to begin with.
        z1: `[..., D]` code or codes to end with.
        num: number of points on the arc, at least 2.

    Returns:
        `[num, ..., D]`.

    Raises:
        InputError: `num` is below 2, or the codes differ in shape.

    Reference: Shoemake 1985; White 2016, https://arxiv.org/abs/1609.04468.

    >>> import jax.numpy as jnp
    >>> print(slerp(jnp.array([1.0, 0.0]), jnp.array([0.0, 3.0]), 3).round(4))
    [[1.     0.    ]
     [1.4142 1.4142]
     [0.     3.    ]]
    """
    return _slerp(z0, z1, whole_number("num", num, least=2))


@functools.partial(jax.jit, static_argnums=2)  # without jit, so many small operations would take a second
def _slerp(z0: Array, z1: Array, num: int) -> Array:
    t, z0, z1 = _ends(z0, z1, num)
    norm0, norm1 = _norm(z0), _norm(z1)
    u0, u1 = _unit(z0), _unit(z1)
    u0, u1 = jnp.where(norm0 > 0, u0, u1), jnp.where(norm1 > 0, u1, u0)
    # In two halves, because the formula loses all digits near half a turn but none up to a quarter.
    middle = _middle(u0, u1)
    direction = jnp.where(t <= 0.5, _arc(u0, middle, 2 * t), _arc(middle, u1, 2 * t - 1))
    return ((1 - t) * norm0 + t * norm1) * direction


def path_through(codes: Array, num_per_leg: int, *, spherical: bool = False, closed: bool = False) -> Array:
    """Compute a path through codes, with `num_per_leg` equal steps from each to the next; no code occurs twice.

    Args:
        codes: `[K, D]`, at least 2; they are points 0, num_per_leg, 2 num_per_leg, ... of the path.
        num_per_leg: number of steps from one code to the next.
        spherical: follow arcs (`slerp`) instead of straight lines (`interpolate`).
        closed: continue from the last code to the first, and stop one step before it.

    Returns:
        `[(K - 1) num_per_leg + 1, D]`; closed `[K num_per_leg, D]`.

    Raises:
        InputError: there are fewer than 2 codes, or no steps.

    >>> import jax.numpy as jnp
    >>> print(path_through(jnp.array([[0.0], [4.0], [2.0]]), 2)[:, 0])
    [0. 2. 4. 3. 2.]
    """
    if len(codes) < 2:
        raise InputError(f"codes: a path leads through at least 2 codes, got {len(codes)}")
    return _path_through(at_least_float32(codes), whole_number("num_per_leg", num_per_leg), spherical, closed)


@functools.partial(jax.jit, static_argnums=(1, 2, 3))
def _path_through(codes: Array, num_per_leg: int, spherical: bool, closed: bool) -> Array:
    between = slerp if spherical else interpolate
    begins, ends = (codes, jnp.roll(codes, -1, axis=0)) if closed else (codes[:-1], codes[1:])
    legs = jax.vmap(lambda z0, z1: between(z0, z1, num_per_leg + 1)[:-1])(begins, ends)
    path = legs.reshape(-1, *codes.shape[1:])
    return path if closed else jnp.concatenate([path, codes[-1:]])


def _ends(z0: Array, z1: Array, num: int) -> tuple[Array, Array, Array]:
    """Return times from 0 to 1, `[num, 1, ...]`, and the codes `[1, ...]` as floats."""
    num = whole_number("num", num, least=2)
    _check_same_shape(z0, z1)
    z0, z1 = as_floats(z0, z1)
    return jnp.linspace(0.0, 1.0, num, dtype=z0.dtype).reshape(-1, *[1] * z0.ndim), z0[None], z1[None]


def _check_same_shape(z0: Array, z1: Array) -> None:
    if jnp.shape(z0) != jnp.shape(z1):
        raise InputError(f"z1: must have z0's shape {jnp.shape(z0)}, got {jnp.shape(z1)}")


def _middle(u0: Array, u1: Array) -> Array:
    """Return the unit vector halfway between two; for opposite ones the axis that is nearest to perpendicular."""
    axis = jax.nn.one_hot(jnp.argmin(jnp.abs(u0), axis=-1), u0.shape[-1], dtype=u0.dtype)
    perpendicular = _unit(axis - (axis * u0).sum(-1, keepdims=True) * u0)
    opposite = _norm(u0 + u1) < 1e-3  # so near to zero, the sum is rounding error without a direction
    return jnp.where(opposite, perpendicular, _unit(u0 + u1))


def _arc(u0: Array, u1: Array, t: Array) -> Array:
    """Compute (sin((1 - t) a) u0 + sin(t a) u1) / sin(a), smooth at a = 0 by sin(x) / x in place of sin."""
    angle = 2 * jnp.arctan2(_norm(u1 - u0), _norm(u1 + u0)) / jnp.pi
    return ((1 - t) * jnp.sinc((1 - t) * angle) * u0 + t * jnp.sinc(t * angle) * u1) / jnp.sinc(angle)


def _unit(z: Array) -> Array:
    norm = _norm(z)
    return z / jnp.where(norm > 0, norm, 1)


def _norm(z: Array) -> Array:
    """Compute norms `[..., 1]` with gradient 0, and not NaN, at zero."""
    squared = jnp.square(z).sum(-1, keepdims=True)
    return jnp.where(squared > 0, jnp.sqrt(jnp.where(squared > 0, squared, 1)), 0)
