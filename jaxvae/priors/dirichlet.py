"""Prior over z whose softmax is nearly Dirichlet distributed, for the shares of topics."""

from __future__ import annotations

import dataclasses
import math

import jax.numpy as jnp

from jaxvae.arguments import whole_number
from jaxvae.distributions import Normal
from jaxvae.errors import InputError
from jaxvae.facts import Facts
from jaxvae.types import Array, Params


@dataclasses.dataclass(frozen=True)
class LogisticNormal:
    """Laplace approximation of the symmetric Dirichlet distribution of softmax(z), in the softmax basis.

        p(z) = N(0, v I),    v = (1 - 2 / K) / alpha + 1 / (K alpha) = (1 - 1 / K) / alpha

    Reference: Srivastava & Sutton 2017, https://arxiv.org/abs/1703.01488, equation 4.
    """

    latent_dim: int
    """Number K of shares."""
    concentration: float
    """Concentration alpha of each share."""

    def __call__(self, params: Params, condition: Array | None = None) -> Normal:
        """Return the prior, without a batch axis."""
        del params, condition
        log_var = math.log1p(-1 / self.latent_dim) - math.log(self.concentration)
        return Normal(jnp.zeros(self.latent_dim), jnp.full(self.latent_dim, log_var, jnp.float32))


@dataclasses.dataclass(frozen=True)
class Dirichlet:
    """Normal whose softmax is nearly a Dirichlet distribution of the shares of topics (ProdLDA)."""

    concentration: float = 1.0
    """Concentration alpha of each topic; below 1 a document has few topics, above 1 a little of each."""

    def build(self, facts: Facts) -> LogisticNormal:
        """Return the prior of the model's latent dimensions.

        Raises:
            InputError: alpha is not positive, there is one dimension alone, or the posterior has several layers.
        """
        if not 0 < self.concentration < math.inf:
            raise InputError(f"prior.concentration: must be a positive number, got {self.concentration}")
        if isinstance(facts.latent, tuple):
            raise InputError(f"prior: dirichlet has one layer, the posterior {len(facts.latent)}; choose another")
        if whole_number("latent_dim", facts.latent_dim) < 2:
            raise InputError("latent-dim: shares of one topic are always 1; give 2 topics or more")
        return LogisticNormal(facts.latent_dim, float(self.concentration))
