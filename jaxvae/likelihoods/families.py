"""Families of distributions for the columns of a table: the parameters of each, and where these come from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxvae.distributions import (
    Bernoulli,
    BetaBinomial,
    Categorical,
    LogNormal,
    NegativeBinomial,
    Normal,
    Ordinal,
    Poisson,
    StudentT,
)
from jaxvae.distributions.ordinal import rising
from jaxvae.types import Array, Distribution

BINARY = 2
"""Number of categories that needs one logit."""
LEAST_DEGREES = 3.0
"""Least degrees of freedom of a t distribution, so that its variance is finite."""


class Parameter(NamedTuple):
    """Parameter of a family."""

    name: str
    source: Literal["decoder", "spread", "column"] = "decoder"
    """The decoder; a number of the column, or of the decoder where spreads are decoded; numbers of the column."""
    width: Callable[[int], int] = lambda size: 1
    """Count of its numbers for one column, by the column's number of categories."""
    start: Callable[[int], Any] = lambda size: 0.0
    """First values of what a column learns."""


class Family(NamedTuple):
    """Family of distributions of one value."""

    build: Callable[..., Distribution]
    """Function from the number of categories and parameters `[..., n]`, or `[..., n, width]`, to n distributions."""
    parameters: tuple[Parameter, ...]


def _even_steps(size: int) -> np.ndarray:
    """Return the steps from which `rising` makes thresholds that give all categories one probability."""
    below = np.arange(1, size) / size
    thresholds = np.log(below) - np.log1p(-below)
    return np.concatenate([thresholds[:1], np.log(np.expm1(np.diff(thresholds)))])


def _plain(distribution: Callable[..., Distribution]) -> Callable[..., Distribution]:
    return lambda size, *parameters: distribution(*parameters, event_ndim=0)


def _ordinal(size: int, location: Array, steps: Array) -> Distribution:
    del size
    return Ordinal(location, rising(steps), event_ndim=0)


def _categorical(size: int, logits: Array) -> Distribution:
    if size == BINARY:
        return Bernoulli(logits, event_ndim=0)
    return Categorical(logits[..., None] if size == 1 else logits, event_ndim=0)


def _student_t(size: int, mean: Array, log_scale: Array, degrees: Array) -> Distribution:
    del size
    return StudentT(mean, log_scale, jnp.log(LEAST_DEGREES + jax.nn.softplus(degrees)), event_ndim=0)


def _beta_binomial(size: int, logits: Array, log_concentration: Array) -> Distribution:
    return BetaBinomial(jnp.full(logits.shape, float(size - 1)), logits, log_concentration, event_ndim=0)


MEAN, LOGIT = Parameter("mean"), Parameter("logit")
LOGITS = Parameter("logits", width=lambda size: 1 if size == BINARY else size)
LOG_VAR, DISPERSION = Parameter("log_var", "spread"), Parameter("log_inverse_dispersion", "spread")
THRESHOLDS = Parameter("thresholds", "column", lambda size: size - 1, _even_steps)

FAMILIES = {
    "normal": Family(_plain(Normal), (MEAN, LOG_VAR)),
    "student_t": Family(_student_t, (MEAN, Parameter("log_scale", "spread"), Parameter("degrees", "spread"))),
    "log_normal": Family(_plain(LogNormal), (MEAN, LOG_VAR)),
    "poisson": Family(_plain(Poisson), (MEAN,)),
    "negative_binomial": Family(_plain(NegativeBinomial), (MEAN, DISPERSION)),
    "zero_inflated": Family(_plain(NegativeBinomial), (MEAN, DISPERSION, Parameter("zero_logits"))),
    "categorical": Family(_categorical, (LOGITS,)),
    "ordinal": Family(_ordinal, (MEAN, THRESHOLDS)),
    "beta_binomial": Family(_beta_binomial, (LOGIT, Parameter("log_concentration", "spread"))),
}
"""Families by name; two for ordered categories, of which the beta-binomial counts steps from the lowest."""
