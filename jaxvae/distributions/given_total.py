"""Counts of an example whose total is given: the size of a cell's library, the length of a document."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar, Protocol

import jax.numpy as jnp

from jaxvae.distributions.base import Support, at_least_float32, distribution
from jaxvae.distributions.poisson import is_count
from jaxvae.types import Array, Distribution, Key


class Shares(Distribution, Protocol):
    """Distribution of counts that can be scaled to a total."""

    @property
    def event_ndim(self) -> int:
        """Number of axes of one event."""
        ...

    def of_total(self, total: Array) -> Distribution:
        """Return the distribution whose means are multiplied by `[...]` totals."""
        ...


@distribution
class GivenTotal:
    """Counts given their sum, log p(x | n) with n = sum_d x_d read from the value itself, and means n rho_d.

    So the total of an example is known, as the size of a library is in scVI, and is no part of what is scored or
    encoded. Samples and means, which have no value to read a total from, have a typical one.

    Reference: Lopez et al. 2018 (scVI), https://doi.org/10.1038/s41592-018-0229-2, with the observed library size.
    """

    support: ClassVar[Support] = "counts"
    simulates: ClassVar[bool] = False
    shares: Shares
    """Distribution with means rho, which sum to 1."""
    total: Array
    """Total of samples and means; broadcasts against the leading axes."""

    @property
    def event_ndim(self) -> int:
        """Number of axes of one event."""
        return self.shares.event_ndim

    @property
    def mean(self) -> Array:
        """Expected counts of the typical total."""
        return self._typical().mean

    def sample(self, key: Key) -> Array:
        """Sample integers of the typical total; not differentiable."""
        return self._typical().sample(key)

    def log_prob(self, value: Array) -> Array:
        """Return `[...]` nats."""
        return self.shares.of_total(self._sum(value)).log_prob(value)

    def like(self, value: Array) -> GivenTotal:
        """Return the distribution whose samples and means have the totals of these examples."""
        return dataclasses.replace(self, total=self._sum(value))

    def _typical(self) -> Any:
        return self.shares.of_total(at_least_float32(self.total))

    def _sum(self, value: Array) -> Array:
        value = at_least_float32(value)
        axes = tuple(range(value.ndim - self.event_ndim, value.ndim))
        return jnp.where(is_count(value), value, 0.0).sum(axes)
