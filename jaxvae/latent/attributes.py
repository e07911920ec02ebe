"""Attribute directions: vectors that, added to a code, make its image smile, lean or become a 3.

    direction = attribute_direction(codes, values)      # from codes and values of the attribute
    image = decode(edit(z, direction, 1.0))

Strength 1 is the distance from the mean code without the attribute to the mean code with it: about 1 adds it to an
image without it, -1 removes it. `jaxvae.data.named_attributes` lists the values of a split.
"""

from __future__ import annotations

import math
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from jaxvae.arguments import check_number
from jaxvae.distributions.base import as_floats, at_least_float32, broadcast_floats
from jaxvae.errors import InputError
from jaxvae.types import Array

Method = Literal["mean", "logistic"]
_PENALTY, _ITERATIONS = 1e-3, 500


def attribute_direction(codes: Array, values: ArrayLike, *, method: Method = "mean") -> Array:
    """Compute the direction `[D]` of one attribute, by the difference of class means or by logistic regression.

    Args:
        codes: `[N, D]`, posterior means.
        values: `[N]` numbers: the greater of two different ones is "has it"; of more, those above the median.
        method: `attribute_vector` or `logistic_direction`.

    Raises:
        InputError: the values are all equal, or not finite, or not one for each code.
    """
    if np.shape(values) != codes.shape[:1]:
        raise InputError(f"values: shape {np.shape(values)} for {len(codes)} codes; give one for each")
    find = logistic_direction if method == "logistic" else attribute_vector
    return find(codes, jnp.asarray(has_attribute(values)))


def has_attribute(values: ArrayLike) -> np.ndarray:
    """Return `[N]` booleans, True for the greater of two values; of more, for those above the median.

    >>> print(has_attribute([0, 1, 1, 1]), has_attribute([0.3, 0.1, 0.7, 0.2]))
    [False  True  True  True] [ True False  True False]

    Raises:
        InputError: the values are all equal, or not finite.
    """
    return np.asarray(values, np.float64) > attribute_threshold(values)


def attribute_threshold(values: ArrayLike) -> float:
    """Return the value that an attribute must exceed: the smaller of two; of more, their median.

    Raises:
        InputError: the values are all equal, or not finite.
    """
    values = np.asarray(values, np.float64)
    if gaps := np.count_nonzero(~np.isfinite(values)):
        raise InputError(f"values: {gaps} of {values.size} are NaN or infinite; leave these examples out")
    different = np.unique(values)
    if len(different) < 2:
        raise InputError(f"values: all are {different.tolist()}; an attribute needs two or more different ones")
    # If the median is the greatest value, nothing lies above it: take the next smaller value.
    return float(different[0] if len(different) == 2 else min(np.median(values), different[-2]))


def attribute_vector(codes: Array, has_it: Array) -> Array:
    """Compute the difference `[D]` of class means, mean(z | has it) - mean(z | has it not).

    Args:
        codes: `[N, D]`.
        has_it: `[N]` booleans, some of each.

    Reference: Larsen et al. 2016, section 4.2.

    >>> print(attribute_vector(jnp.array([[0.0, 1.0], [2.0, 1.0], [4.0, 1.0]]), jnp.array([False, True, True])))
    [3. 0.]
    """
    codes, has_it = as_floats(codes, has_it)
    return has_it @ codes / has_it.sum() - (1 - has_it) @ codes / (1 - has_it).sum()


@jax.jit
def logistic_direction(codes: Array, has_it: Array) -> Array:
    """Compute the direction `[D]` of the fastest rise in the odds of the attribute, by a logistic regression.

    p(has it | z) = sigmoid(w . z + b), with a small ridge penalty on standardized codes. The length is that of the
    difference of class means along w, so that a strength goes as far along w as with `attribute_vector`. It ignores
    features that are merely correlated with the attribute: it separates codes best, but changes images less.

    Args:
        codes: `[N, D]`.
        has_it: `[N]` booleans, some of each.
    """
    codes, has_it = as_floats(codes, has_it)
    scale = codes.std(axis=0, keepdims=True) + 1e-6
    inputs = (codes - codes.mean(axis=0, keepdims=True)) / scale
    inputs = jnp.concatenate([inputs, jnp.ones_like(inputs[:, :1])], axis=1)
    # inputs^T inputs / 4 is an upper bound of the Hessian: with it no step overshoots (Böhning & Lindsay 1988), while
    # Newton's steps may on classes that are far apart.
    penalty = jnp.full_like(inputs[0], _PENALTY).at[-1].set(0)
    bound = jax.scipy.linalg.cho_factor(inputs.T @ inputs / (4 * len(codes)) + jnp.diag(penalty + 1e-6))

    def step(_: Array, weights: Array) -> Array:
        error = jax.nn.sigmoid(inputs @ weights) - has_it
        return weights - jax.scipy.linalg.cho_solve(bound, error @ inputs / len(codes) + penalty * weights)

    weights = jax.lax.fori_loop(0, _ITERATIONS, step, jnp.zeros_like(inputs[0]))[:-1] / scale[0]
    return weights * (weights @ attribute_vector(codes, has_it)) / (weights @ weights)


def orthogonalize(directions: Array) -> Array:
    """Compute `[A, D]` directions, each of which moves a code along one of those given, and not along the others.

    d_a . v_b = 0 for every other b, and d_a . v_a = |v_a|^2: the dual basis. Unlike Gram-Schmidt, it does not depend on
    the order. For linearly dependent directions (those of all classes are) this holds in the least-squares sense.

    Args:
        directions: `[A, D]`.

    >>> print(orthogonalize(jnp.array([[2.0, 0.0], [1.0, 1.0]])).round().astype(int))
    [[ 2 -2]
     [ 0  2]]
    """
    directions = at_least_float32(directions)
    return jnp.linalg.pinv(directions, rtol=1e-4).T * (directions**2).sum(axis=1, keepdims=True)


def edit(z: Array, direction: Array, strength: ArrayLike) -> Array:
    """Compute `z + strength * direction`.

    Args:
        z: `[..., D]` codes.
        direction: `[D]`.
        strength: a number, or an array that broadcasts with the codes' leading axes: `[S, 1]` edits codes `[N, D]` to
            `[S, N, D]`.

    Raises:
        InputError: the direction has other dimensions than the codes.
    """
    if jnp.shape(direction) != jnp.shape(z)[-1:]:
        raise InputError(f"direction: must have the codes' dimensions {jnp.shape(z)[-1:]}, got {jnp.shape(direction)}")
    check_number("strength", strength, least=-math.inf)
    z, strength, direction = broadcast_floats(z, jnp.asarray(strength)[..., None], direction)
    return z + strength * direction
