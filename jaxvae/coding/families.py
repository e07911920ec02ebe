"""Families of distributions with a probability for each value, as codecs of events `[D, L]`.

A further family is one more function: `family.register(Distribution)`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import expit, ndtr, stdtr

from jaxvae.coding.binomials import shared_out
from jaxvae.coding.codecs import Codec, mapped
from jaxvae.coding.counts import with_excess
from jaxvae.coding.family import Family, within
from jaxvae.coding.grids import on_grid
from jaxvae.coding.intervals import Binary, Cumulative, Intervals, Table
from jaxvae.distributions import (
    Bernoulli,
    BetaBinomial,
    BetaBinomialLevels,
    Categorical,
    CategoricalLevels,
    DiscretizedLogistic,
    LogNormal,
    Multinomial,
    NegativeBinomial,
    Normal,
    Ordinal,
    Poisson,
    StudentT,
)
from jaxvae.distributions.base import at_least_float32, broadcast_floats
from jaxvae.distributions.by_value import log_prob_by_value
from jaxvae.errors import InputError
from jaxvae.types import Array

MOST_COUNTS = 256
"""Largest number of counts with a probability of their own; larger ones are coded by what they exceed it."""
MOST_STEEP = 60.0
"""Largest logarithm of a steepness, whose exponential is finite: beyond it a level is certain."""
Points: TypeAlias = list[np.ndarray] | None
"""Values that each column of real numbers may have, in order; None where they may have any."""


@functools.singledispatch
def family(distribution: Any, most: int, points: Points = None) -> Family:
    """Return the family of a distribution.

    Args:
        distribution: distribution, whose leaves may be shapes.
        most: largest value of the data where the distribution has no end of its own.
        points: values that real numbers may have.

    Raises:
        InputError: its values have no probabilities, or there is no codec for them.
    """
    del most, points
    raise InputError(
        f"run-dir: its likelihood {type(distribution).__name__} gives no probabilities to single values, which "
        "lossless compression needs; train with --likelihood bernoulli, discretized_logistic, categorical_levels or "
        "another of discrete values"
    )


@family.register(Normal)
@family.register(LogNormal)
@family.register(StudentT)
def _real(distribution: Any, most: int, points: Points = None) -> Family:
    """Give each point the probability of the values that are nearest to it."""
    if points is None:
        return family.dispatch(object)(distribution, most)
    if isinstance(distribution, StudentT):
        return on_grid(
            lambda d: broadcast_floats(d.mean, jnp.exp(d.log_scale), jnp.exp(d.log_degrees)),
            lambda edge, mean, scale, degrees: stdtr(degrees, (edge - mean) / scale),
            points,
        )
    if isinstance(distribution, LogNormal):
        logarithms = [np.log(np.maximum(values, np.finfo(np.float64).tiny)) for values in points]
        return on_grid(lambda d: broadcast_floats(d.log_median, jnp.exp(0.5 * d.log_var)), _below, points, logarithms)
    return on_grid(lambda d: broadcast_floats(d.mean, jnp.exp(0.5 * d.log_var)), _below, points)


def _below(edge: np.ndarray, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
    return ndtr((edge - mean) / std)


@family.register(Bernoulli)
def _bernoulli(distribution: Any, most: int, points: Points = None) -> Family:
    del distribution, most, points
    return _symbols(lambda d: jax.nn.sigmoid(at_least_float32(d.logits)), Binary.from_ones, 1)


@family.register(Categorical)
@family.register(Ordinal)
def _categorical(distribution: Any, most: int, points: Points = None) -> Family:
    del most, points
    size = jax.eval_shape(lambda d: d.probabilities, distribution).shape[-1]
    return _symbols(lambda d: at_least_float32(d.probabilities), Table.from_probabilities, size - 1)


@family.register(CategoricalLevels)
def _categorical_levels(distribution: Any, most: int, points: Points = None) -> Family:
    del most, points
    top = distribution.logits.shape[-1] - 1
    return _symbols(lambda d: jax.nn.softmax(at_least_float32(d.logits)), Table.from_probabilities, top, top)


@family.register(DiscretizedLogistic)
def _discretized_logistic(distribution: Any, most: int, points: Points = None) -> Family:
    del most, points
    top = distribution.levels - 1

    def arrays(d: Any) -> tuple[Array, ...]:
        location, log_scale = broadcast_floats(d.location, d.log_scale)
        return location, jnp.exp(jnp.minimum(-log_scale, MOST_STEEP))

    def below(level: np.ndarray, location: np.ndarray, steepness: np.ndarray) -> np.ndarray:
        return expit(((level - 0.5) / top - location) * steepness)

    def intervals(*arrays: np.ndarray) -> Intervals:
        return Cumulative(below, tuple(array.astype(np.float64) for array in arrays), top + 1)

    return _symbols(arrays, intervals, top, top)


@family.register(BetaBinomial)
def _beta_binomial(distribution: Any, most: int, points: Points = None) -> Family:
    del distribution, points
    return _symbols(functools.partial(_probabilities, num=most + 1), Table.from_probabilities, most)


@family.register(BetaBinomialLevels)
def _beta_binomial_levels(distribution: Any, most: int, points: Points = None) -> Family:
    del most, points
    top = distribution.levels - 1
    return _symbols(lambda d: d.probabilities, Table.from_probabilities, top, top)


@family.register(Poisson)
@family.register(NegativeBinomial)
def _counts(distribution: Any, most: int, points: Points = None) -> Family:
    del distribution, points
    num = min(most + 1, MOST_COUNTS)

    def arrays(d: Any) -> tuple[Array, ...]:
        each = _probabilities(d, num)
        rest = jnp.clip(1 - each.sum(-1, keepdims=True), 0, 1)
        return (jnp.concatenate([each, rest], axis=-1),)

    def codec(probabilities: np.ndarray, there: np.ndarray | None = None) -> Codec:
        counts = with_excess(within(Table.from_probabilities(probabilities), there), num)
        return mapped(counts, lambda x: x.astype(np.int64), lambda symbols: symbols.astype(np.int32))

    return Family(arrays, codec, lambda x: np.maximum(np.round(x), 0))


@family.register(Multinomial)
def _multinomial(distribution: Any, most: int, points: Points = None) -> Family:
    """Code counts whose sum the distribution knows."""
    del distribution, most, points

    def arrays(d: Any) -> tuple[Array, ...]:
        chances = d.chances
        return chances, jnp.broadcast_to(at_least_float32(d.total)[..., None], chances.shape)

    def codec(chances: np.ndarray, totals: np.ndarray) -> Codec:
        counts = shared_out(chances, totals[0].astype(np.int64))
        return mapped(counts, lambda x: x.astype(np.int64), lambda found: found.astype(np.int32))

    return Family(arrays, codec, lambda x: np.maximum(np.round(x), 0))


def _probabilities(distribution: Any, num: int) -> Array:
    """Return `[..., num]` probabilities of 0, 1, ..., by the density's own formula."""

    def score(value: Array) -> Array:
        return log_prob_by_value(distribution, jnp.full(_shape(distribution), value))

    return jnp.exp(jnp.moveaxis(jax.vmap(score)(jnp.arange(num, dtype=jnp.float32)), 0, -1))


def _shape(distribution: Any) -> tuple[int, ...]:
    return jnp.broadcast_shapes(*[leaf.shape for leaf in jax.tree.leaves(distribution)])


def _symbols(
    arrays: Callable[[Any], Any], intervals: Callable[..., Intervals], top: int, scale: int | None = None
) -> Family:
    """Return the family of symbols 0 to `top`, whose values are divided by `scale` if there is one."""

    def symbols(x: np.ndarray) -> np.ndarray:
        return np.clip(np.round(x * scale if scale else x), 0, top).astype(np.int64)

    def values(found: np.ndarray) -> np.ndarray:
        return found.astype(np.float32) / np.float32(scale or 1)

    def several(d: Any) -> tuple[Array, ...]:
        found = arrays(d)
        return found if isinstance(found, tuple) else (found,)

    def codec(*found: np.ndarray, there: np.ndarray | None = None) -> Codec:
        return mapped(within(intervals(*found), there), symbols, values)

    return Family(several, codec, lambda x: values(symbols(x)))
