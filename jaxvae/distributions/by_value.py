"""Log-probabilities of the single values of an event, such as the pixels of an image."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp

from jaxvae.distributions.bernoulli import Bernoulli, ContinuousBernoulli, GreyCrossEntropy
from jaxvae.distributions.beta_binomial import BetaBinomial
from jaxvae.distributions.categorical import Categorical
from jaxvae.distributions.columns import Columns
from jaxvae.distributions.levels import BetaBinomialLevels, CategoricalLevels, DiscretizedLogistic
from jaxvae.distributions.log_normal import LogNormal
from jaxvae.distributions.negative_binomial import NegativeBinomial
from jaxvae.distributions.normal import Normal
from jaxvae.distributions.ordinal import Ordinal
from jaxvae.distributions.poisson import Poisson
from jaxvae.distributions.student_t import StudentT
from jaxvae.types import Array

INDEPENDENT = (
    Bernoulli,
    BetaBinomial,
    BetaBinomialLevels,
    Categorical,
    CategoricalLevels,
    ContinuousBernoulli,
    DiscretizedLogistic,
    GreyCrossEntropy,
    LogNormal,
    NegativeBinomial,
    Normal,
    Ordinal,
    Poisson,
    StudentT,
)
"""Distributions of independent values."""


def scores_values(distribution: Any) -> bool:
    """Return True for a product of distributions of single values, which `log_prob_by_value` takes apart."""
    if hasattr(distribution, "log_prob_by_value"):
        return scores_values(distribution.values)
    return isinstance(distribution, (*INDEPENDENT, Columns))


def log_prob_by_value(distribution: Any, value: Any) -> Array:
    """Return log p(x_d) of every value, whose sum over the event is `log_prob`; of a missing value 0.

    >>> print(log_prob_by_value(Bernoulli(jnp.zeros(2)), jnp.ones(2)))
    [-0.6931472 -0.6931472]

    Args:
        distribution: one that `scores_values`.
        value: `[..., D]` event of any number of axes, a row of a table, or values with their mask.

    Raises:
        TypeError: its values are not independent.
    """
    if hasattr(distribution, "log_prob_by_value"):
        return distribution.log_prob_by_value(value)
    if isinstance(distribution, Columns):
        return _by_column(distribution, value)
    if not scores_values(distribution):
        raise TypeError(f"{type(distribution).__name__} does not score values separately; use its log_prob")
    single: Any = dataclasses.replace(distribution, event_ndim=0)
    return single.log_prob(value)


def _by_column(distribution: Columns, row: Any) -> Array:
    """Score each column alone, with all others missing."""
    observed = jnp.asarray(row["observed"], bool)

    def score(chosen: Array) -> Array:
        return distribution.log_prob({**row, "observed": observed & chosen})

    return jnp.moveaxis(jax.vmap(score)(jnp.eye(observed.shape[-1], dtype=bool)), 0, -1)
