"""Uniform prior over the codes of a quantized posterior."""

from __future__ import annotations

import dataclasses

from jaxvae.distributions.codes import Codes, UniformOverCodes
from jaxvae.errors import InputError
from jaxvae.facts import Facts
from jaxvae.posteriors.quantized import AveragedCodebook, LearnedCodebook
from jaxvae.types import Array, Params


@dataclasses.dataclass(frozen=True)
class CodesPrior:
    """Prior of independent codes, each with the same probability: the KL is the number of positions times log K."""

    posterior: AveragedCodebook | LearnedCodebook
    """Posterior to whose codebook the codes belong."""
    positions: tuple[int, ...]
    """Shape of the indices of one value."""

    def __call__(self, params: Params, condition: Array | None = None) -> UniformOverCodes:
        """Return the prior, without a batch axis."""
        del condition
        return UniformOverCodes(self.posterior.codebook(params), self.positions)


@dataclasses.dataclass(frozen=True)
class UniformCodes:
    """Every code with the same probability; the posterior must be `vector_quantized` or `gradient_quantized`."""

    def build(self, facts: Facts) -> CodesPrior:
        """Return the prior over the posterior's codes.

        Raises:
            InputError: the posterior has no codes.
        """
        if not isinstance(facts.latent, Codes):
            raise InputError("prior: uniform_codes needs a posterior with codes; give --posterior vector_quantized")
        return CodesPrior(facts.posterior, facts.latent.indices.shape)
