"""The evidence lower bound on a whole split: masked sums, so that every example counts exactly once."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import NamedTuple

import jax
import numpy as np

from jaxvae import rng
from jaxvae.objectives import elbo_terms
from jaxvae.types import Batch, ElboTerms, Key, Model, Params


class ElboEstimate(NamedTuple):
    """Averages over a split, in nats per example."""

    elbo: float
    log_likelihood: float
    kl: float
    elbo_standard_error: float
    """Of the mean over examples."""
    num_examples: int


def evaluate_elbo(
    params: Params, key: Key, batches: Iterable[Batch], *, model: Model, num_samples: int = 1
) -> ElboEstimate:
    """Estimate the ELBO on a split, at beta = 1.

    Noise is keyed by example, so the estimate does not depend on the batch size.

    Args:
        params: the model's parameters.
        key: one key.
        batches: the split, each example once; padding carries weight 0.
        model: see `elbo_terms`.
        num_samples: draws of z per example.
    """
    key = rng.stream(key, "evaluate")
    parts = []
    for batch in batches:
        terms = _terms(params, key, batch, model=model, num_samples=num_samples)
        parts.append(np.stack([terms.log_likelihood, terms.kl], axis=-1)[np.asarray(batch.weights) > 0])
    log_likelihood, kl = np.concatenate(parts).astype(np.float64).T
    elbo = log_likelihood - kl
    standard_error = elbo.std(ddof=1) / len(elbo) ** 0.5 if len(elbo) > 1 else float("nan")
    return ElboEstimate(elbo.mean(), log_likelihood.mean(), kl.mean(), float(standard_error), len(elbo))


@functools.partial(jax.jit, static_argnames=("model", "num_samples"))
def _terms(params: Params, key: Key, batch: Batch, *, model: Model, num_samples: int) -> ElboTerms:
    keys = rng.example_keys(key, batch.ids)
    return elbo_terms(params, keys, batch.x, model=model, condition=batch.condition, num_samples=num_samples)
