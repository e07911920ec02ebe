"""Decomposition of the KL into three terms with weights of their own (beta-TC-VAE)."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

import jax
import jax.numpy as jnp

from jaxvae.arguments import check_number, whole_number
from jaxvae.distributions import Normal
from jaxvae.distributions.base import broadcast_floats
from jaxvae.distributions.kl import log_prob_per_example
from jaxvae.distributions.sampling import as_rows
from jaxvae.errors import InputError, did_you_mean
from jaxvae.objectives import draws
from jaxvae.objectives.checks import check_arguments
from jaxvae.objectives.coupling import counts_of, gather, own_places
from jaxvae.objectives.weights import blank_padding, weigh, weighted_mean
from jaxvae.types import Array, Distribution, Key, Model, Params

Estimator = Literal["mss", "mws"]


class TotalCorrelationTerms(NamedTuple):
    """Terms of `beta_tc_loss` per example, in nats; sampled, so each may be below 0."""

    log_likelihood: Array
    """`[B]` log p(x|z)."""
    kl: Array
    """`[B]` log q(z|x) - log p(z), the sum of the three terms below."""
    mutual_information: Array
    """`[B]` log q(z|x) - log q(z)."""
    total_correlation: Array
    """`[B]` log q(z) - sum_d log q(z_d)."""
    dimension_wise_kl: Array
    """`[B]` sum_d log q(z_d) - log p(z)."""


def beta_tc_loss(
    params: Params,
    key: Key,
    x: Array,
    *,
    model: Model,
    num_examples: int,
    condition: Array | None = None,
    weights: Array | None = None,
    axis_name: str | None = None,
    alpha: Array | float = 1.0,
    beta: Array | float = 6.0,
    gamma: Array | float = 1.0,
    estimator: Estimator = "mss",
) -> tuple[Array, TotalCorrelationTerms]:
    r"""Compute minus the ELBO with separate weights of the three parts of its KL, averaged over examples.

        loss = mean_b [ -log p(x|z) + alpha (log q(z|x) - log q(z))               mutual information
                                    + beta  (log q(z) - sum_d log q(z_d))         total correlation
                                    + gamma (sum_d log q(z_d) - log p(z)) ]       dimension-wise KL

    With weights of 1 it is minus the ELBO with a sampled KL. q(z) is the mean of q(z|x) over the N training examples,
    estimated from a batch of B with weights of its own for the example that z was sampled from:

        mss     1/N for the own example, (N - 1) / (N (B - 1)) for every other: without bias, and exact where B = N
        mws     1/(N B) for all, as in the paper's experiments: q(z) is too small by a factor of up to N

    Args:
        params: the model's parameters.
        key: one key, or `[B]` keys, one per example.
        x: `[B, ...]` examples, an array or a tree of arrays.
        model: anything with `encode(params, x)`, `decode(params, z)` and `prior(params)`; q(z|x) is a diagonal normal.
        num_examples: N, number of training examples.
        condition: `[B, ...]` passed to the three functions, if given.
        weights: `[B]` weights of the average; 0 marks padding.
        axis_name: device axis over which the batch is spread, if any.
        alpha: weight of the mutual information.
        beta: weight of the total correlation.
        gamma: weight of the dimension-wise KL.
        estimator: estimator of q(z) from a batch: mss, stratified and symmetric, or mws, weighted.

    Returns:
        The scalar loss, and the terms per example.

    Raises:
        InputError: the posterior is no diagonal normal, a weight is negative, or there is no such estimator.
        TypeError, ValueError: as for `elbo_loss`.

    Reference: Chen et al. 2018, https://arxiv.org/abs/1802.04942, equations 2 and 4, section 4.1 (mws), appendix C
    (mss, here with the same weight for all other examples, so that the order of a batch does not matter).
    """
    check_arguments(key, x, condition, 1, weights)
    for name, weight in {"alpha": alpha, "beta": beta, "gamma": gamma}.items():
        check_number(name, weight)
    if estimator not in get_args(Estimator):
        hint = did_you_mean(estimator, get_args(Estimator))
        raise InputError(f"estimator: must be one of {', '.join(get_args(Estimator))}, got {estimator!r}{hint}")
    num_examples = whole_number("num_examples", num_examples)
    x, condition = blank_padding(weights, x, condition)
    draw = draws.draw(params, key, x, model=model, condition=condition)
    log_likelihood = draws.decode(params, draw.z, x, model=model, condition=condition)

    posterior, counts = _rows(draw.posterior), counts_of(x, weights)
    everyone, every_count = gather((posterior, counts), axis_name)
    own = own_places(len(counts), axis_name)[:, None] == jnp.arange(len(every_count))
    share = SHARES[estimator](own, counts[:, None], every_count, num_examples)
    log_q = log_prob_per_example(draw.posterior, draw.z)
    together, apart = _aggregate(as_rows(draw.z), everyone, share)
    log_p = log_prob_per_example(draw.prior, draw.z)

    terms = TotalCorrelationTerms(log_likelihood, log_q - log_p, log_q - together, together - apart, apart - log_p)
    charged = (
        weigh(alpha, terms.mutual_information)
        + weigh(beta, terms.total_correlation)
        + weigh(gamma, terms.dimension_wise_kl)
    )
    return weighted_mean(charged - log_likelihood, weights), terms


def stratified(own: Array, count: Array, every_count: Array, num_examples: int) -> Array:
    """Return `[B, M]` weights of all examples' posteriors in q(z), without bias; their sum over M is 1.

    Args:
        own: `[B, M]` True where the two examples are the same.
        count: `[B, 1]` numbers of times that the examples count.
        every_count: `[M]` those of all devices' examples.
        num_examples: N.
    """
    others = every_count.sum() - count
    alone = others == 0
    other = every_count / jnp.where(alone, 1.0, others) * ((num_examples - 1) / num_examples)
    return jnp.where(own, jnp.where(alone, 1.0, 1 / num_examples), other)


def weighted(own: Array, count: Array, every_count: Array, num_examples: int) -> Array:
    """Return `[B, M]` equal weights, whose sum over M is 1 / N, see `stratified`."""
    total = every_count.sum()
    return jnp.broadcast_to(every_count / (num_examples * jnp.where(total == 0, 1.0, total)), own.shape)


SHARES = {"mss": stratified, "mws": weighted}


def _aggregate(z: Array, posteriors: Normal, share: Array) -> tuple[Array, Array]:
    """Return `[B]` log q(z) and sum_d log q(z_d), given posteriors `[M, D]` and their weights `[B, M]`."""
    pairs = posteriors.log_prob(z[:, None])
    together = jax.nn.logsumexp(pairs.sum(-1), axis=1, b=share)
    return together, jax.nn.logsumexp(pairs, axis=1, b=share[..., None]).sum(-1)


def _rows(posterior: Distribution) -> Normal:
    """Return a diagonal normal `[B, D]` that scores each dimension on its own."""
    if not isinstance(posterior, Normal):
        raise InputError(
            "posterior: the total correlation needs a Normal, whose dimensions are scored one by one, got a "
            f"{type(posterior).__name__}; give --posterior normal"
        )
    mean, log_var = broadcast_floats(posterior.mean, posterior.log_var)
    return Normal(as_rows(mean), as_rows(log_var), event_ndim=0)
