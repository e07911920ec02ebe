"""Importance-weighted bound for tables whose values are missing because of what they are (not-MIWAE)."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from jaxvae import pieces, rng
from jaxvae.arguments import whole_number
from jaxvae.distributions.kl import log_prob_per_example, log_ratio
from jaxvae.objectives import draws
from jaxvae.objectives.checks import check_arguments, check_density
from jaxvae.objectives.importance import log_mean_exp
from jaxvae.objectives.iwae import ImportanceTerms
from jaxvae.objectives.weights import blank_padding, weighted_mean
from jaxvae.types import Array, Key, Model, Params


def not_miwae_loss(
    params: Params,
    key: Key,
    x: Any,
    *,
    model: Model,
    missing: Any,
    condition: Array | None = None,
    weights: Array | None = None,
    num_samples: int = 20,
) -> tuple[Array, ImportanceTerms]:
    r"""Compute minus the bound on log p(x_o, s), what is observed and where, averaged over rows.

        bound = log 1/K sum_k w_k,    w = p(s | x_o, x_m) p(x_o|z) p(z) / q(z|x_o),    z ~ q(z|x_o), x_m ~ p(x_m|z)

    A value may be missing because of what it is: high incomes are not told. Where it is not, p(s|x) is one number for
    each column and the bound is that of MIWAE, which is `iwae_loss` of a table. Draws of categories pass no gradient.

    Args:
        params: the model's parameters, with those of the model of what is missing.
        key: one key, or `[B]` keys, one per row.
        x: rows of a table, `{"x": [B, D], "observed": [B, D]}`.
        model: anything with `encode(params, x)`, `decode(params, z)` and `prior(params)`.
        missing: piece `(params, x) -> p(s|x)`, see `extras.Missing`.
        condition: `[B, ...]` passed to the three functions, if given.
        weights: `[B]` weights of the average; 0 marks padding.
        num_samples: K, number of samples of z and x_m for each row.

    Returns:
        The scalar loss, and the terms per row, without those of what is missing.

    Raises:
        TypeError, ValueError: as for `iwae_loss`.

    Reference: Ipsen, Mattei & Frellsen 2021, https://arxiv.org/abs/2006.12871, equations 5 and 7.
    """
    check_arguments(key, x, condition, whole_number("num_samples", num_samples), weights)
    x, condition = blank_padding(weights, x, condition)
    posterior, prior = draws.encode(params, key, x, model=model, condition=condition)
    check_density(posterior)
    given = () if condition is None else (condition,)

    def score(key: Key) -> tuple[Array, Array, Array]:
        draw = draws.sample(posterior, prior, key)
        likelihood = model.decode(params, draw.z, *given)
        filled = jnp.where(x["observed"], x["x"], likelihood.sample(draws.stream(key, "x"))["x"])
        log_missing = pieces.call("missing", missing, params, filled).log_prob(x["observed"])
        kl = log_ratio(draw.posterior, draw.prior, draw.z, draw.log_q)
        return log_prob_per_example(likelihood, x), kl, log_missing

    log_likelihood, kl, log_missing = jax.vmap(score)(rng.sample_keys(key, num_samples))
    bound = log_mean_exp(log_likelihood + log_missing - kl)
    return weighted_mean(-bound, weights), ImportanceTerms(bound, log_likelihood.mean(0), kl.mean(0))
