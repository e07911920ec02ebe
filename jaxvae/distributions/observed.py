"""Distribution of values of which some may be missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp

from jaxvae.distributions.base import distribution
from jaxvae.distributions.by_value import log_prob_by_value
from jaxvae.distributions.flags import is_normalized
from jaxvae.types import Array, Distribution, Key


@distribution
class Observed:
    """Independent values, log p(x) = sum over observed d of log p_d(x_d).

    A missing value is not scored, whatever stands in its place: that is the marginal distribution of the others.
    """

    values: Distribution
    """Distribution of all values, which scores them separately."""

    @property
    def support(self) -> Any:
        """Values that an entry can have."""
        return getattr(self.values, "support", "any")

    @property
    def normalized(self) -> bool:
        """False where the distribution of the values is not normalised."""
        return is_normalized(self.values)

    @property
    def event_ndim(self) -> int:
        """Number of axes of an event."""
        return int(getattr(self.values, "event_ndim"))  # noqa: B009

    @property
    def mean(self) -> Array:
        """Expected values, of those that are missing too."""
        return self.values.mean

    def sample(self, key: Key) -> Array:
        """Sample all values."""
        return self.values.sample(key)

    def log_prob(self, value: Any) -> Array:
        """Return `[...]` nats of `{"x", "observed"}`, or of an array of which everything is observed."""
        each = self.log_prob_by_value(value)
        return each.sum(tuple(range(each.ndim - self.event_ndim, each.ndim)))

    def log_prob_by_value(self, value: Any) -> Array:
        """Return the nats of every value, 0 for one that is missing."""
        if not isinstance(value, Mapping):
            return log_prob_by_value(self.values, value)
        observed = jnp.asarray(value["observed"], bool)
        return jnp.where(observed, log_prob_by_value(self.values, jnp.where(observed, value["x"], 0)), 0)
