"""Objectives with a critic, a network that learns to tell two kinds of codes apart.

Autoencoder and critic are two players with one loss: each player's part stops the gradient of the other's parameters,
and the critic's part has the value 0. Every part is a mean over examples, so one step moves both.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxvae import pieces
from jaxvae.arguments import check_number
from jaxvae.distributions.sampling import as_rows
from jaxvae.objectives import draws
from jaxvae.objectives.checks import check_arguments
from jaxvae.objectives.coupling import counts_of, gather, own_places
from jaxvae.objectives.weights import blank_padding, weigh, weighted_mean
from jaxvae.types import Array, Key, Model, Params


class FactorTerms(NamedTuple):
    """Terms of `factor_vae_loss` per example, in nats."""

    log_likelihood: Array
    """`[B]` log p(x|z)."""
    kl: Array
    """`[B]` KL(q(z|x) || p(z))."""
    density_ratio: Array
    """`[B]` the critic's log q(z) - sum_d log q(z_d), whose mean estimates the total correlation."""
    critic_loss: Array
    """`[B]` the critic's cross-entropy; log 2 where it cannot tell the two apart."""


class AdversarialTerms(NamedTuple):
    """Terms of `adversarial_autoencoder_loss` per example, in nats."""

    log_likelihood: Array
    """`[B]` log p(x|z)."""
    adversarial: Array
    """`[B]` minus the logarithm of the critic's probability that the code is from the prior."""
    critic_loss: Array
    """`[B]` the critic's cross-entropy, summed over the two kinds; 2 log 2 where it cannot tell them apart."""


def factor_vae_loss(
    params: Params,
    key: Key,
    x: Array,
    *,
    model: Model,
    critic: Any,
    condition: Array | None = None,
    weights: Array | None = None,
    axis_name: str | None = None,
    gamma: Array | float = 10.0,
) -> tuple[Array, FactorTerms]:
    r"""Compute minus the ELBO plus a critic's estimate of the total correlation, averaged over examples.

        loss = mean_b [ -log p(x|z) + KL( q(z|x) || p(z) ) + gamma D(z) ]
        D descends  1/2 mean_b [ softplus(-D(z)) + softplus(D(z~)) ],    so that  D(z) -> log q(z) - sum_d log q(z_d)

    In z~ every dimension is permuted over the batch on its own, by noise keyed by example, so that it does not depend
    on the devices. The critic's part adds nothing to the value.

    Args:
        params: the model's parameters, with the critic's.
        key: one key, or `[B]` keys, one per example.
        x: `[B, ...]` examples, an array or a tree of arrays.
        model: anything with `encode(params, x)`, `decode(params, z)` and `prior(params)`.
        critic: piece `(params, z) -> [B]` logits, positive for codes of examples, see `extras.Critic`.
        condition: `[B, ...]` passed to the three functions, if given.
        weights: `[B]` weights of the average; 0 marks padding.
        axis_name: device axis over which the batch is spread, if any.
        gamma: weight of the critic's total correlation.

    Returns:
        The scalar loss, and the terms per example.

    Raises:
        TypeError, ValueError: as for `elbo_loss`; or gamma is negative.

    Reference: Kim & Mnih 2018, https://arxiv.org/abs/1802.05983, equation 2 and algorithm 2, with z~ of the same batch.
    """
    check_arguments(key, x, condition, 1, weights)
    check_number("gamma", gamma)
    x, condition = blank_padding(weights, x, condition)
    draw = draws.draw(params, key, x, model=model, condition=condition)
    log_likelihood = draws.decode(params, draw.z, x, model=model, condition=condition)
    kl = draws.divergence(draw).sum(-1)

    codes = as_rows(draw.z)
    ratio = _logits(critic, jax.lax.stop_gradient(params), codes)
    codes = jax.lax.stop_gradient(codes)
    noise = _uniforms(draws.stream(key, "permutation"), codes)
    everyone = gather((codes, noise, counts_of(x, weights)), axis_name)
    permuted = permute_dimensions(*everyone)[own_places(len(codes), axis_name)]
    critic_loss = 0.5 * (
        jax.nn.softplus(-_logits(critic, params, codes)) + jax.nn.softplus(_logits(critic, params, permuted))
    )
    terms = FactorTerms(log_likelihood, kl, ratio, critic_loss)
    return _two_players(kl + weigh(gamma, ratio) - log_likelihood, critic_loss, weights), terms


def adversarial_autoencoder_loss(
    params: Params,
    key: Key,
    x: Array,
    *,
    model: Model,
    critic: Any,
    condition: Array | None = None,
    weights: Array | None = None,
    adversarial_weight: Array | float = 10.0,
) -> tuple[Array, AdversarialTerms]:
    r"""Compute the loss of an autoencoder whose codes a critic compares with the prior's, averaged over examples.

        loss = mean_b [ -log p(x|z) + adversarial_weight softplus(-D(z)) ],    z ~ q(z|x)
        D descends  mean_b [ softplus(-D(y)) + softplus(D(z)) ],    y ~ p(z),    so that  D(z) -> log p(z) - log q(z)

    The critic's part adds nothing to the value.

    Args:
        params: the model's parameters, with the critic's.
        key: one key, or `[B]` keys, one per example.
        x: `[B, ...]` examples, an array or a tree of arrays.
        model: anything with `encode(params, x)`, `decode(params, z)` and `prior(params)`.
        critic: piece `(params, z) -> [B]` logits, positive for samples of the prior, see `extras.Critic`.
        condition: `[B, ...]` passed to the three functions, if given.
        weights: `[B]` weights of the average; 0 marks padding.
        adversarial_weight: weight of the critic's judgement in the encoder's loss.

    Returns:
        The scalar loss, and the terms per example.

    Raises:
        TypeError, ValueError: as for `elbo_loss`; or the weight is negative.

    Reference: Makhzani et al. 2015, https://arxiv.org/abs/1511.05644, section 2; Tolstikhin et al. 2018,
    https://arxiv.org/abs/1711.01558, algorithm 1.
    """
    check_arguments(key, x, condition, 1, weights)
    check_number("adversarial_weight", adversarial_weight)
    x, condition = blank_padding(weights, x, condition)
    draw = draws.draw(params, key, x, model=model, condition=condition)
    log_likelihood = draws.decode(params, draw.z, x, model=model, condition=condition)

    codes, of_prior = as_rows(draw.z), as_rows(draws.draw_prior(draw, draws.stream(key, "prior")))
    adversarial = jax.nn.softplus(-_logits(critic, jax.lax.stop_gradient(params), codes))
    codes, of_prior = jax.lax.stop_gradient((codes, of_prior))
    critic_loss = jax.nn.softplus(-_logits(critic, params, of_prior)) + jax.nn.softplus(_logits(critic, params, codes))
    terms = AdversarialTerms(log_likelihood, adversarial, critic_loss)
    return _two_players(weigh(adversarial_weight, adversarial) - log_likelihood, critic_loss, weights), terms


def permute_dimensions(z: Array, noise: Array, counts: Array) -> Array:
    """Permute each column of z `[M, D]` over the rows that count, in the order of its noise `[M, D]`.

    Rows of count 0 keep their places, behind all others in every order.
    """
    absent = (counts == 0)[:, None]
    order = jnp.argsort(jnp.where(absent, jnp.inf, noise), axis=0)
    # Rank of each row among those that count.
    rank = jnp.argsort(jnp.argsort(absent[:, 0], stable=True))
    return jnp.take_along_axis(z, order, axis=0)[rank]


def _uniforms(key: Key, z: Array) -> Array:
    if not key.ndim:
        return jax.random.uniform(key, z.shape)
    return jax.vmap(lambda one: jax.random.uniform(one, z.shape[1:]))(key)


def _logits(critic: Any, params: Params, z: Array) -> Array:
    return pieces.call("critic", critic, params, z).reshape(len(z))


def _two_players(autoencoder: Array, critic: Array, weights: Array | None) -> Array:
    """Return the autoencoder's mean loss, with the gradient of the critic's added."""
    loss = weighted_mean(critic, weights)
    return weighted_mean(autoencoder, weights) + loss - jax.lax.stop_gradient(loss)
