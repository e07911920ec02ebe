"""ELBO of windows of which points are missing, some of them removed in training (the M-ELBO of DONUT)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxvae import rng
from jaxvae.arguments import check_number
from jaxvae.distributions import Observed
from jaxvae.distributions.kl import log_prob_per_example
from jaxvae.objectives import draws
from jaxvae.objectives.checks import check_arguments
from jaxvae.objectives.weights import blank_padding, weighted_mean
from jaxvae.types import Array, Key, Model, Params


class MElboTerms(NamedTuple):
    """Terms of `m_elbo_loss` per example, in nats."""

    log_likelihood: Array
    """`[B]` sum over observed points of log p(x_t|z)."""
    kl: Array
    """`[B]` KL(q(z|x) || p(z))."""
    log_posterior: Array
    """`[B]` log q(z|x) of the sample, whose weight is what the prior loses."""
    share: Array
    """`[B]` share of the points that are observed."""


def m_elbo_loss(
    params: Params,
    key: Key,
    x: Any,
    *,
    model: Model,
    condition: Array | None = None,
    weights: Array | None = None,
    missing_share: Array | float = 0.01,
    num_samples: int = 1,
) -> tuple[Array, MElboTerms]:
    r"""Compute minus the M-ELBO, averaged over examples.

        bound = E_q(z|x)[ sum_t a_t log p(x_t|z) + a log p(z) - log q(z|x) ],    a = mean_t a_t

    a_t is 0 where a point is missing, which the encoder then sees as 0, and 1 elsewhere. The prior counts for the share
    of the points that are there. Points are also removed at random, so that the model learns to do without: all
    channels of a time step, or single values of rows. With nothing missing it is the ELBO. With gaps it is no bound on
    log p(x): evaluations report the ELBO of what is observed.

    Args:
        params: the model's parameters.
        key: one key, or `[B]` keys, one per example.
        x: `[B, T, ...]` examples, or `{"x": [B, T, ...], "observed": [B, T, ...]}` where values are missing.
        model: anything with `encode(params, x)`, `decode(params, z)` and `prior(params)`, whose likelihood is a product
            over values.
        condition: `[B, ...]` passed to the three functions, if given.
        weights: `[B]` weights of the average; 0 marks padding.
        missing_share: share of the points that are removed at random from each example.
        num_samples: number of samples of z per example.

    Returns:
        The scalar loss, and the terms per example.

    Raises:
        TypeError, ValueError: as for `elbo_loss`; or the share is not in [0, 1], or the likelihood is no product.

    Reference: Xu et al. 2018 (DONUT), https://arxiv.org/abs/1802.03903, equation 3 and section 3.2.
    """
    check_arguments(key, x, condition, num_samples, weights)
    check_number("missing_share", missing_share, most=1.0)
    x, condition = blank_padding(weights, x, condition)
    given = () if condition is None else (condition,)
    seen, scored = without(key, x, missing_share)
    posterior, prior = draws.encode(params, key, seen, model=model, condition=condition)

    def terms(key: Key) -> tuple[Array, Array, Array]:
        draw = draws.sample_with_kl(posterior, prior, key)
        likelihood: Any = model.decode(params, draw.z, *given)
        likelihood = likelihood if isinstance(x, Mapping) else Observed(likelihood)
        log_q = log_prob_per_example(posterior, draw.z) if draw.log_q is None else draw.log_q
        return log_prob_per_example(likelihood, scored), draws.divergence(draw).sum(-1), log_q

    samples = jax.vmap(terms)(rng.sample_keys(key, num_samples))
    log_likelihood, kl, log_q = (values.mean(0) for values in samples)
    observed = scored["observed"]
    share = observed.mean(tuple(range(1, observed.ndim)), dtype=log_likelihood.dtype)
    bound = log_likelihood - share * kl - (1 - share) * log_q
    return -weighted_mean(bound, weights), MElboTerms(log_likelihood, kl, log_q, share)


def without(key: Key, x: Any, missing_share: Array | float) -> tuple[Any, dict[str, Array]]:
    """Remove points at random: return examples as an encoder sees them, and as a likelihood scores them.

    Args:
        key: one key, or `[B]` keys, one per example.
        x: `[B, T, ...]` examples, or values with their mask.
        missing_share: share of the points.
    """
    values = x["x"] if isinstance(x, Mapping) else x

    def removed(key: Key, shape: tuple[int, ...]) -> Array:
        return jax.random.bernoulli(rng.stream(key, "missing"), missing_share, shape)

    points = values.shape[:2]
    gone = jax.vmap(lambda one: removed(one, points[1:]))(key) if key.ndim else removed(key, points)
    kept = jnp.broadcast_to(~gone.reshape(*points, *[1] * (values.ndim - 2)), values.shape)
    kept = kept & x["observed"] if isinstance(x, Mapping) else kept
    scored = {"x": jnp.where(kept, values, jnp.zeros_like(values)), "observed": kept}
    return ({**x, **scored} if isinstance(x, Mapping) else scored["x"]), scored
