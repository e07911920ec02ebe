"""Attributes as directions: what to add to a code so that its image smiles, leans or becomes a 3.

    direction = attribute_direction(codes, values)      # from codes and what is known of their images
    image = decode(edit(z, direction, 1.0))

Strength 1 is the whole way between the mean code without the attribute and the mean code with it: about 1 adds it to
an image that lacks it, -1 takes it away. `jaxvae.data.named_attributes` lists the values of a split.
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
from jaxvae.types import Array, InputError

Method = Literal["mean", "logistic"]
_PENALTY, _ITERATIONS = 1e-3, 500


def attribute_direction(codes: Array, values: ArrayLike, *, method: Method = "mean") -> Array:
    """`[D]` the direction of one attribute, by the difference of class means or by logistic regression.

    Args:
        codes: `[N, D]`, posterior means.
        values: `[N]` numbers: of two different ones the greater is "has it"; of more, those above the median.
        method: `attribute_vector` or `logistic_direction`.

    Raises:
        InputError: the values are all equal, or not finite, or not one for each code.
    """
    if np.shape(values) != codes.shape[:1]:
        raise InputError(f"values: shape {np.shape(values)} for {len(codes)} codes; give one for each")
    find = logistic_direction if method == "logistic" else attribute_vector
    return find(codes, jnp.asarray(has_attribute(values)))


def has_attribute(values: ArrayLike) -> np.ndarray:
    """`[N]` booleans: the greater of two values; of more, those above the median.

    >>> print(has_attribute([0, 1, 1, 1]), has_attribute([0.3, 0.1, 0.7, 0.2]))
    [False  True  True  True] [ True False  True False]

    Raises:
        InputError: the values are all equal, or not finite.
    """
    return np.asarray(values, np.float64) > attribute_threshold(values)


def attribute_threshold(values: ArrayLike) -> float:
    """The value that an attribute must exceed: the lesser of two; of more, their median.

    Raises:
        InputError: the values are all equal, or not finite.
    """
    values = np.asarray(values, np.float64)
    if gaps := np.count_nonzero(~np.isfinite(values)):
        raise InputError(f"values: {gaps} of {values.size} are NaN or infinite; leave these examples out")
    different = np.unique(values)
    if len(different) < 2:
        raise InputError(f"values: all are {different.tolist()}; an attribute needs two or more different ones")
    # Where the median is the greatest value nothing lies above it, so the next one takes its place.
    return float(different[0] if len(different) == 2 else min(np.median(values), different[-2]))


def attribute_vector(codes: Array, has_it: Array) -> Array:
    """`[D]` the difference of class means, mean(z | has it) - mean(z | has it not).

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
    """`[D]` the direction in which the odds of the attribute rise fastest: the weights of a logistic regression.

    p(has it | z) = sigmoid(w . z + b), with a small ridge penalty on standardized codes. The length is that of the
    difference of class means along w, so that a strength goes as far along w as with `attribute_vector`. What merely
    comes with the attribute it leaves alone: it separates codes best, but the shorter way changes images less.

    Args:
        codes: `[N, D]`.
        has_it: `[N]` booleans, some of each.
    """
    codes, has_it = as_floats(codes, has_it)
    scale = codes.std(axis=0, keepdims=True) + 1e-6
    inputs = (codes - codes.mean(axis=0, keepdims=True)) / scale
    inputs = jnp.concatenate([inputs, jnp.ones_like(inputs[:, :1])], axis=1)
    # The Hessian is nowhere above inputs^T inputs / 4: with this bound in its place no step overshoots (Böhning &
    # Lindsay 1988), where Newton's own steps may on classes that are far apart.
    penalty = jnp.full_like(inputs[0], _PENALTY).at[-1].set(0)
    bound = jax.scipy.linalg.cho_factor(inputs.T @ inputs / (4 * len(codes)) + jnp.diag(penalty + 1e-6))

    def step(_: Array, weights: Array) -> Array:
        error = jax.nn.sigmoid(inputs @ weights) - has_it
        return weights - jax.scipy.linalg.cho_solve(bound, error @ inputs / len(codes) + penalty * weights)

    weights = jax.lax.fori_loop(0, _ITERATIONS, step, jnp.zeros_like(inputs[0]))[:-1] / scale[0]
    return weights * (weights @ attribute_vector(codes, has_it)) / (weights @ weights)


def orthogonalize(directions: Array) -> Array:
    """`[A, D]` directions of which each moves a code along one of those given, and along the others not at all.

    d_a . v_b = 0 for every other b, and d_a . v_a = |v_a|^2: the dual basis. No attribute comes first, as one does in
    Gram-Schmidt. Where directions depend on one another (those of all classes do) this holds by least squares.

    Args:
        directions: `[A, D]`.

    >>> print(orthogonalize(jnp.array([[2.0, 0.0], [1.0, 1.0]])).round().astype(int))
    [[ 2 -2]
     [ 0  2]]
    """
    directions = at_least_float32(directions)
    return jnp.linalg.pinv(directions, rtol=1e-4).T * (directions**2).sum(axis=1, keepdims=True)


def edit(z: Array, direction: Array, strength: ArrayLike) -> Array:
    """`z + strength * direction`.

    Args:
        z: `[..., D]` codes.
        direction: `[D]`.
        strength: a number, or an array that goes with the codes' leading axes: `[S, 1]` edits codes `[N, D]` to
            `[S, N, D]`.

    Raises:
        InputError: the direction has other dimensions than the codes.
    """
    if jnp.shape(direction) != jnp.shape(z)[-1:]:
        raise InputError(f"direction: must have the codes' dimensions {jnp.shape(z)[-1:]}, got {jnp.shape(direction)}")
    check_number("strength", strength, least=-math.inf)
    z, strength, direction = broadcast_floats(z, jnp.asarray(strength)[..., None], direction)
    return z + strength * direction
