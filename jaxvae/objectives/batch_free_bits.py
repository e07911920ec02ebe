"""Objective with free bits of the batch's mean KL per dimension."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxvae.arguments import check_number
from jaxvae.objectives.checks import check_arguments
from jaxvae.objectives.coupling import counts_of, gather
from jaxvae.objectives.elbo import terms_and_separation
from jaxvae.objectives.free_bits import any_free, check_separates
from jaxvae.objectives.weights import blank_padding, weigh, weighted_mean
from jaxvae.types import Array, ElboTerms, Key, Model, Params


def batch_free_bits_loss(
    params: Params,
    key: Key,
    x: Array,
    *,
    model: Model,
    condition: Array | None = None,
    weights: Array | None = None,
    axis_name: str | None = None,
    beta: Array | float = 1.0,
    num_samples: int = 1,
    free_bits: Array | float = 0.25,
) -> tuple[Array, ElboTerms]:
    r"""Compute the negative evidence lower bound with a least mean KL of each dimension, averaged over examples.

        loss = - mean_b log_likelihood_b + beta sum_d max( free_bits, mean_b KL_bd )

    A dimension whose mean over the batch is below its free bits has no gradient from the KL; above, that of the bound.
    Unlike the free bits of `elbo_loss` it lets an example say less than others. The mean is that of all devices'
    examples, so the loss depends on the size of a batch, and not on the devices.

    Args:
        params: the model's parameters.
        key: one key, or `[B]` keys, one per example.
        x: `[B, ...]` examples, an array or a tree of arrays.
        model: anything with `encode(params, x)`, `decode(params, z)` and `prior(params)`.
        condition: `[B, ...]` passed to the three functions, if given.
        weights: `[B]` weights of the average; 0 marks padding.
        axis_name: device axis over which the batch is spread, if any.
        beta: weight of the KL.
        num_samples: number of samples of z per example.
        free_bits: nats of KL per latent dimension that a batch's mean may have for nothing, or `[D]`.

    Returns:
        The scalar loss, and the terms per example, which are not raised.

    Raises:
        InputError: the KL is no sum over dimensions.
        TypeError, ValueError: as for `elbo_loss`; beta is not one number.

    Reference: Kingma et al. 2016, https://arxiv.org/abs/1606.04934, equation 15, one group for each dimension.
    """
    check_arguments(key, x, condition, num_samples, weights)
    check_number("beta", beta)
    check_number("free_bits", free_bits)
    x, condition = blank_padding(weights, x, condition)
    terms, separates = terms_and_separation(params, key, x, model, condition, num_samples, beta)
    if any_free(free_bits):
        check_separates(separates)
    kl = terms.kl_per_dimension
    free = jnp.broadcast_to(jnp.asarray(free_bits, kl.dtype), kl.shape[1:])
    everyone, counts = gather(jax.lax.stop_gradient((kl, counts_of(x, weights))), axis_name)
    mean = jax.vmap(weighted_mean, in_axes=(1, None))(everyone, counts)
    # Examples have equal shares of a free dimension, so that the mean over any devices' examples is that of all.
    counted = jnp.where((free > 0) & (mean <= free), free, kl).sum(-1)
    return weighted_mean(weigh(beta, counted) - terms.log_likelihood, weights), terms
