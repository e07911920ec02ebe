"""Prior of codes and of the size of a cell's library, whose mean and variance are those of its batch."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import jax.numpy as jnp

from jaxvae.distributions import Normal
from jaxvae.distributions.base import at_least_float32
from jaxvae.errors import InputError
from jaxvae.facts import Facts
from jaxvae.posteriors.library import LibraryPosterior
from jaxvae.types import FROZEN, Array, Key, Params

LEAST_VARIANCE = 1e-4
"""Least variance of log l, for a batch whose cells have all one total."""


@dataclasses.dataclass(frozen=True)
class LibraryPrior:
    """Standard normal of z and, in the last dimension, a normal of log l.

        p(log l | c) = N(m_c, v_c)

    m and v are the mean and the variance of the logarithms of the training examples' totals: in each batch where c is
    one, and by least squares of any other condition. They describe the data, and are frozen.

    Reference: Lopez et al. 2018 (scVI), https://doi.org/10.1038/s41592-018-0229-2.
    """

    latent_dim: int
    """Number D of dimensions of z."""

    begins_as_data: ClassVar[bool] = True

    def init(self, key: Key, x: Array, condition: Array | None = None) -> Params:
        """Measure the totals of examples `[B, G]`."""
        del key
        log_total = jnp.log(jnp.maximum(at_least_float32(x).sum(-1), 1.0))
        given = _with_one(condition, len(log_total))
        mean = jnp.linalg.lstsq(given, log_total)[0]
        variance = jnp.linalg.lstsq(given, jnp.square(log_total - given @ mean))[0]
        return {"mean": mean, "variance": variance}

    def labels(self, own: Params) -> dict[str, str]:
        """Return `frozen` for all."""
        return dict.fromkeys(own, FROZEN)

    def __call__(self, params: Params, condition: Array | None = None) -> Normal:
        """Return p(z, log l | c), with a batch axis where there is a condition."""
        given = _with_one(condition, 1)
        of_size = [given @ params["prior"][name] for name in ("mean", "variance")]
        of_codes = jnp.zeros((len(given), self.latent_dim))
        log_var = jnp.log(jnp.maximum(of_size[1], LEAST_VARIANCE))
        joined = [jnp.concatenate([of_codes, last[:, None]], axis=-1) for last in (of_size[0], log_var)]
        return Normal(*(joined if condition is not None else (rows[0] for rows in joined)))


def _with_one(condition: Array | None, num: int) -> Array:
    """Return `[B, 1 + C]` conditions behind a 1."""
    if condition is None:
        return jnp.ones((num, 1))
    rows = at_least_float32(condition).reshape(len(condition), -1)
    return jnp.concatenate([jnp.ones((len(rows), 1)), rows], axis=-1)


@dataclasses.dataclass(frozen=True)
class Library:
    """Standard normal of z, and a normal of the logarithm of the library's size, fitted to each batch (scVI)."""

    def build(self, facts: Facts) -> LibraryPrior:
        """Return the prior.

        Raises:
            InputError: the posterior has no library.
        """
        if not isinstance(facts.posterior, LibraryPosterior):
            raise InputError("prior: library needs the posterior of one; give --posterior library too")
        return LibraryPrior(facts.latent_dim)
