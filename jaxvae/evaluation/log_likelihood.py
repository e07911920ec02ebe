"""Estimate of log p(x) as papers report it: the importance-weighted bound with thousands of samples."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import numpy as np

from jaxvae import rng
from jaxvae.distributions.flags import is_normalized
from jaxvae.distributions.sampling import point
from jaxvae.evaluation.blocks import check_conditions, check_counts, count_examples, example_blocks, take
from jaxvae.evaluation.compiled import compiled
from jaxvae.evaluation.standard_error import standard_error
from jaxvae.objectives import importance_weighted_bound
from jaxvae.types import Array, Bar, Distribution, Key, Model, Params


class LogLikelihood(NamedTuple):
    """Estimates of log p(x) per example, and their mean."""

    log_px: np.ndarray
    """`[N]` estimates in nats."""

    @property
    def mean(self) -> float:
        """Mean over examples, in nats."""
        return float(self.log_px.mean())

    @property
    def standard_error(self) -> float:
        """Standard error of the mean over examples; the error from sampling z is far smaller."""
        return standard_error(self.log_px)


def log_marginal_likelihood(
    params: Params,
    key: Key,
    x: Array | np.ndarray,
    *,
    model: Model,
    num_samples: int = 5000,
    condition: Array | np.ndarray | None = None,
    block_size: int = 100,
    samples_at_once: int = 20,
    progress: Bar = iter,
) -> LogLikelihood:
    r"""Estimate log p(x) of every example from below.

        log 1/K sum_k p(x|z_k) p(z_k) / q(z_k|x),    z_k ~ q(z|x)

    The mean over the samples is taken first, in float32 and in logarithms, the mean over examples last, in float64.
    Noise is keyed by example and sample: except for rounding, an estimate depends neither on `block_size` nor on
    `samples_at_once`.

    Args:
        params: the model's parameters.
        key: one key.
        x: `[N, ...]` examples, an array or a tree of arrays.
        model: see `elbo_terms`.
        num_samples: K, number of samples. Compare only numbers with the same K: the bound rises with it.
        condition: `[N, ...]` passed to the model, if given.
        block_size: number of examples per block.
        samples_at_once: number of samples of each example per block; `block_size * samples_at_once` are decoded in
            memory.
        progress: wrapper of the loop over the blocks' first examples, such as `tqdm`.

    Returns:
        log p(x) per example, with mean and standard error.

    Raises:
        InputError: the posterior has no density, as a point; there are no examples, or not one condition for
            each; or a number is below 1.

    Reference: Burda et al. 2016, https://arxiv.org/abs/1509.00519, section 5 (L_5000).
    """
    check_counts(num_samples=num_samples, samples_at_once=samples_at_once)
    key = rng.stream(key, "log_marginal_likelihood")
    bound = compiled(_bound, model=model, num_samples=num_samples, samples_at_once=samples_at_once)
    bounds = []
    num = count_examples(x)
    check_conditions(condition, num)
    for ids in example_blocks(num, block_size, progress):
        bounds.append(bound(params, key, ids, *take((x, condition), ids)))
    return LogLikelihood(np.concatenate(bounds)[:num].astype(np.float64))


def decodes_densities(params: Params, x: Any, *, model: Model, condition: Any = None) -> bool:
    """Return False where exp(log p(x|z)) does not integrate to 1, so that there is no bound on log p(x).

    Args:
        params: the model's parameters.
        x: `[B, ...]` examples, of which only the shapes count.
        model: see `elbo_terms`.
        condition: `[B, ...]` passed to the model, if given.
    """
    given = () if condition is None else (condition,)

    def decode(params: Params, x: Any) -> Distribution:
        return model.decode(params, point(model.encode(params, x, *given)), *given)

    return is_normalized(jax.eval_shape(decode, params, x))


def _bound(
    params: Params,
    key: Key,
    ids: Array,
    x: Array,
    condition: Array | None,
    *,
    model: Model,
    num_samples: int,
    samples_at_once: int,
) -> Array:
    return importance_weighted_bound(
        params,
        rng.example_keys(key, ids),
        x,
        model=model,
        num_samples=num_samples,
        condition=condition,
        block_size=samples_at_once,
    )
