"""Evidence lower bound on a whole split: masked sums, so that every example counts exactly once."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxvae import rng
from jaxvae.distributions.kl import kl_separates
from jaxvae.distributions.sampling import as_rows, point
from jaxvae.errors import InputError
from jaxvae.evaluation.active_units import active_units
from jaxvae.evaluation.compiled import compiled
from jaxvae.evaluation.standard_error import standard_error
from jaxvae.objectives import elbo_terms
from jaxvae.types import Array, Batch, ElboTerms, Key, Model, Params


class ElboEstimate(NamedTuple):
    """Averages over a split, in nats per example."""

    elbo: float
    log_likelihood: float
    kl: float
    elbo_standard_error: float
    """Standard error of the mean over examples."""
    num_examples: int
    kl_per_dimension: list[float] | None
    """KL of each latent dimension, or None where the KL is no sum over dimensions."""
    active_units: int
    """Number of latent dimensions that depend on the example, see `active_units`."""


def evaluate_elbo(
    params: Params, key: Key, batches: Iterable[Batch], *, model: Model, num_samples: int = 1
) -> ElboEstimate:
    """Estimate the ELBO on a split, at beta = 1.

    Noise is keyed by example, so the estimate does not depend on the batch size. A point as posterior has no bound:
    of its estimate the log-likelihood alone has a meaning.

    Args:
        params: the model's parameters.
        key: one key.
        batches: batches of the split, each example once; padding has weight 0.
        model: see `elbo_terms`.
        num_samples: number of samples of z per example.

    Raises:
        InputError: there are no examples.
    """
    return estimate(terms_of_batches(params, key, batches, model=model, num_samples=num_samples))


def estimate(parts: Iterable[TermsOfBatch]) -> ElboEstimate:
    """Return the averages over all examples of some batches.

    Raises:
        InputError: there are no examples.
    """
    terms, codes, separates = _joined(parts)
    elbo = terms.elbo
    return ElboEstimate(
        elbo.mean(),
        terms.log_likelihood.mean(),
        terms.kl.mean(),
        standard_error(elbo),
        len(elbo),
        terms.kl_per_dimension.mean(axis=0).tolist() if separates else None,
        int(active_units(codes).sum()),
    )


def elbo_of_each(
    params: Params, key: Key, batches: Iterable[Batch], *, model: Model, num_samples: int = 1
) -> ElboTerms:
    """Estimate the ELBO of each example; `evaluate_elbo`, of the same arguments, returns the means of these terms.

    Returns:
        `[N]` terms in float64.
    """
    terms, _, _ = _joined(terms_of_batches(params, key, batches, model=model, num_samples=num_samples))
    return ElboTerms(*terms)


class TermsOfBatch(NamedTuple):
    """Terms of each example of a batch, padding included."""

    terms: ElboTerms
    codes: Array
    """`[B, D]` codes, with several layers those of all."""
    separates: Array
    """Value of `kl_separates`."""
    weights: Array
    """`[B]` weights, 0 for padding."""


def terms_of_batches(
    params: Params, key: Key, batches: Iterable[Batch], *, model: Model, num_samples: int = 1
) -> Iterator[TermsOfBatch]:
    """Yield the terms of each batch, on the host, of which `estimate` takes the averages; see `evaluate_elbo`."""
    key = rng.stream(key, "evaluate")
    evaluate = compiled(_evaluate, model=model, num_samples=num_samples)
    for batch in batches:
        if np.any(batch.weights):
            yield jax.device_get(evaluate(params, key, batch))


def terms_by_models(
    params: Params, keys: Sequence[Key], batches: Iterable[Batch], *, model: Model, num_samples: int = 1
) -> Iterator[TermsOfBatch]:
    """Yield the terms of each batch by S models in one program, `[S, ...]`; each as `terms_of_batches` has them.

    Args:
        params: `[S, ...]` parameters of the models.
        keys: a key for each model.
        batches: batches that all models see.
        model: see `elbo_terms`.
        num_samples: number of samples of z per example.
    """
    stacked = jnp.stack([rng.stream(key, "evaluate") for key in keys])
    evaluate = compiled(_evaluate_models, model=model, num_samples=num_samples)
    for batch in batches:
        if np.any(batch.weights):
            yield jax.device_get(evaluate(params, stacked, batch))


def _joined(parts: Iterable[TermsOfBatch]) -> tuple[Any, np.ndarray, bool]:
    """Return the terms of each example, its code `[N, D]`, and `kl_separates`, without padding."""
    parts = list(parts)
    if not parts:
        raise InputError("batches: hold no example of a weight other than 0; give one or more")
    real = [jax.tree.map(lambda array, part=part: array[part.weights != 0], part[:2]) for part in parts]
    terms, codes = jax.tree.map(lambda *arrays: np.concatenate(arrays).astype(np.float64), *real)
    return terms, codes, bool(parts[-1].separates)


def _evaluate(params: Params, key: Key, batch: Batch, *, model: Model, num_samples: int) -> TermsOfBatch:
    keys, given = rng.example_keys(key, batch.ids), () if batch.condition is None else (batch.condition,)
    terms = elbo_terms(params, keys, batch.x, model=model, condition=batch.condition, num_samples=num_samples)
    # The compiler merges this encoding with that of the terms.
    posterior, prior = model.encode(params, batch.x, *given), model.prior(params, *given)
    return TermsOfBatch(terms, as_rows(point(posterior)), jnp.array(kl_separates(posterior, prior)), batch.weights)


def _evaluate_models(params: Params, keys: Key, batch: Batch, *, model: Model, num_samples: int) -> TermsOfBatch:
    evaluate = functools.partial(_evaluate, model=model, num_samples=num_samples)
    return jax.vmap(evaluate, in_axes=(0, 0, None))(params, keys, batch)
