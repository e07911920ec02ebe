"""Uniform prior over categories."""

from __future__ import annotations

import dataclasses

import jax.numpy as jnp

from jaxvae.distributions import OneHotCategorical
from jaxvae.errors import InputError
from jaxvae.facts import Facts
from jaxvae.posteriors.gumbel import RelaxedCategories
from jaxvae.types import Array, Params


@dataclasses.dataclass(frozen=True)
class CategoriesPrior:
    """Prior of independent variables whose categories have the same probability."""

    num_variables: int
    num_categories: int

    def __call__(self, params: Params, condition: Array | None = None) -> OneHotCategorical:
        """Return the prior, without a batch axis."""
        del params, condition
        return OneHotCategorical(jnp.zeros((self.num_variables, self.num_categories)))


@dataclasses.dataclass(frozen=True)
class UniformCategories:
    """Every category with the same probability; the posterior must be `gumbel_softmax`."""

    def build(self, facts: Facts) -> CategoriesPrior:
        """Return the prior over the posterior's categories.

        Raises:
            InputError: the posterior has no categories.
        """
        if not isinstance(facts.posterior, RelaxedCategories):
            raise InputError(
                "prior: uniform_categories needs a posterior of categories; give --posterior gumbel_softmax"
            )
        return CategoriesPrior(facts.latent_dim, facts.posterior.num_categories)
