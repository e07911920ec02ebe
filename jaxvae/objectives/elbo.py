"""Evidence lower bound (ELBO), and its negative as a loss."""

from __future__ import annotations

import jax

from jaxvae import rng
from jaxvae.arguments import check_number
from jaxvae.distributions.kl import kl_separates
from jaxvae.objectives import draws
from jaxvae.objectives.checks import check_arguments, check_per_example
from jaxvae.objectives.free_bits import FreeBitsOf, charged
from jaxvae.objectives.overriding import with_hard_values
from jaxvae.objectives.weights import blank_padding, weigh, weighted_mean
from jaxvae.types import Array, ElboTerms, Key, Model, Params


def elbo_terms(
    params: Params, key: Key, x: Array, *, model: Model, condition: Array | None = None, num_samples: int = 1
) -> ElboTerms:
    r"""Compute the two terms of the evidence lower bound, per example.

        log p(x) >= E_q(z|x)[ log p(x|z) ] - KL( q(z|x) || p(z) )

    The expectation is an average over `num_samples` samples; the KL is exact where a closed form is known, and averaged
    over the same samples elsewhere. A relaxed posterior is evaluated at the discrete values that it stands for.

    Args:
        params: the model's parameters.
        key: one key, or `[B]` keys, one per example (see `rng.example_keys`).
        x: `[B, ...]` examples, an array or a tree of arrays.
        model: anything with `encode(params, x)`, `decode(params, z)` and `prior(params)`.
        condition: `[B, ...]` passed to the three functions, if given.
        num_samples: number of samples of z per example.

    Returns:
        Terms in nats, `[B]` and `[B, D]`.

    Raises:
        TypeError: `key` is no typed key, `x` holds no real numbers, or a function of the model returns no distribution.
        ValueError: shapes do not fit: the model's distributions do not score x, or not one number per example; keys or
            conditions are not one per example; or `[B]` keys are given for another library's distributions.

    Reference: Kingma & Welling 2014, https://arxiv.org/abs/1312.6114, equations 3 and 7.
    """
    check_arguments(key, x, condition, num_samples)
    return terms_and_separation(params, key, x, with_hard_values(model), condition, num_samples)[0]


def terms_and_separation(
    params: Params,
    key: Key,
    x: Array,
    model: Model,
    condition: Array | None,
    num_samples: int,
    beta: Array | float = 1.0,
) -> tuple[ElboTerms, bool]:
    """Compute `elbo_terms`, with no gradient in the KL where beta is 0; and tell whether the KL separates."""
    posterior, prior = draws.encode(params, key, x, model=model, condition=condition)

    def terms(key: Key) -> tuple[Array, Array]:
        draw = draws.sample_with_kl(posterior, prior, key)
        return draws.decode(params, draw.z, x, model=model, condition=condition), draws.divergence(draw, beta)

    keys = rng.sample_keys(key, num_samples)
    # One sample without vmap: an axis of length 1 through the decoder costs time on CPU.
    samples = jax.vmap(terms)(keys) if num_samples > 1 else jax.tree.map(lambda a: a[None], terms(keys[0]))
    log_likelihood, kl = jax.tree.map(lambda a: a.mean(0), samples)
    check_per_example(x, log_likelihood=log_likelihood, kl=kl.sum(-1))
    return ElboTerms(log_likelihood, kl.sum(-1), kl), kl_separates(posterior, prior)


def elbo_loss(
    params: Params,
    key: Key,
    x: Array,
    *,
    model: Model,
    condition: Array | None = None,
    weights: Array | None = None,
    beta: Array | float = 1.0,
    num_samples: int = 1,
    free_bits: Array | float = 0.0,
    free_bits_of: FreeBitsOf = "dimension",
) -> tuple[Array, ElboTerms]:
    r"""Compute the negative evidence lower bound, averaged over examples.

        loss = - mean_b [ log_likelihood_b - beta * KL_b ]

    At beta = 1 it is minus the ELBO, in nats per example, all constants kept. `jax.grad(elbo_loss, has_aux=True)`
    differentiates it in `params`.

    Args:
        params: the model's parameters.
        key: one key, or `[B]` keys, one per example.
        x: `[B, ...]` examples, an array or a tree of arrays.
        model: anything with `encode(params, x)`, `decode(params, z)` and `prior(params)`.
        condition: `[B, ...]` labels or other conditions of encoder and decoder.
        weights: `[B]` weights of the average; 0 marks padding, whose x and condition may hold any value.
        beta: weight of the KL (beta-VAE): a number, a schedule's value, or `[B]`; where it is 0 even an infinite KL
            adds nothing.
        num_samples: number of samples of z per example.
        free_bits: nats of KL per dimension and example that the loss leaves out: a number, a schedule's value,
            `[D]`, one per dimension, or `[B]`, one per example; if B = D it is read as `[D]`, so give `[B, 1]`. The
            terms returned are not reduced.
        free_bits_of: meaning of free bits: dimension, max(KL_d, free_bits) of each; total, max(KL, free_bits); or
            mask, KL_d where it is above free_bits, else 0.

    Returns:
        The scalar loss, and the terms per example.

    Raises:
        TypeError: as for `elbo_terms`.
        ValueError: as for `elbo_terms`; `weights` are not one number per example; `beta` or `free_bits` is below 0;
            or there are free bits, and the KL is no sum over dimensions.

    Reference: Kingma & Welling 2014, equation 7; Higgins et al. 2017 (beta-VAE), equation 4; Kingma et al. 2016,
    https://arxiv.org/abs/1606.04934, equation 15 (free bits; there the minimum is over a minibatch's mean, here over
    each example, so that the loss does not depend on the batch; see `batch_free_bits_loss`); Roberts et al. 2018,
    https://arxiv.org/abs/1803.05428 (total, there max(KL - free_bits, 0), with the same gradient); Li et al. 2019,
    https://arxiv.org/abs/1909.00868 (mask).
    """
    check_arguments(key, x, condition, num_samples, weights, beta)
    check_number("free_bits", free_bits)
    x, condition = blank_padding(weights, x, condition)
    terms, separates = terms_and_separation(params, key, x, model, condition, num_samples, beta)
    counted = charged(terms, free_bits, free_bits_of, separates)
    return weighted_mean(weigh(beta, counted) - terms.log_likelihood, weights), terms
