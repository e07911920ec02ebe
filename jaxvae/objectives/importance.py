"""Importance-weighted bound: K samples of q(z|x) bound log p(x) more tightly than one."""

from __future__ import annotations

import math

import jax

from jaxvae import rng
from jaxvae.arguments import whole_number
from jaxvae.distributions.base import at_least_float32
from jaxvae.objectives import draws
from jaxvae.objectives.checks import check_arguments, check_density
from jaxvae.objectives.overriding import with_hard_values
from jaxvae.types import Array, Key, Model, Params


def importance_weighted_bound(
    params: Params,
    key: Key,
    x: Array,
    *,
    model: Model,
    num_samples: int,
    condition: Array | None = None,
    block_size: int = 50,
) -> Array:
    r"""Compute a lower bound on log p(x), per example, that converges to it as the number K of samples grows.

        log p(x) >= E[ log 1/K sum_k w_k ],    w_k = p(x|z_k) p(z_k) / q(z_k|x),    z_k ~ q(z|x)

    At K = 1 it is the ELBO with a sampled KL. The sum is taken in float32 and in logarithms, where no weight
    underflows. A relaxed posterior is evaluated at the discrete values that it stands for.

    Args:
        params: the model's parameters.
        key: one key, or `[B]` keys, one per example (see `rng.example_keys`).
        x: `[B, ...]` examples, an array or a tree of arrays.
        model: anything with `encode(params, x)`, `decode(params, z)` and `prior(params)`.
        num_samples: K, number of samples of z per example. Sample k is the same for every K.
        condition: `[B, ...]` passed to the three functions, if given.
        block_size: number of samples per example that are decoded together, which bounds the memory.

    Returns:
        `[B]` nats.

    Raises:
        InputError: the posterior has no density, as a point.
        TypeError, ValueError: as for `elbo_terms`.

    Reference: Burda, Grosse & Salakhutdinov 2016, https://arxiv.org/abs/1509.00519, equation 8.
    """
    log_weights = log_importance_weights(
        params, key, x, model=model, num_samples=num_samples, condition=condition, block_size=block_size
    )
    return log_mean_exp(log_weights)


def log_importance_weights(
    params: Params,
    key: Key,
    x: Array,
    *,
    model: Model,
    num_samples: int,
    condition: Array | None = None,
    block_size: int = 50,
) -> Array:
    """Return `[K, B]` log w_k of `importance_weighted_bound`, with the same arguments."""
    check_arguments(key, x, condition, num_samples)
    block_size = whole_number("block_size", block_size)
    posterior, prior = draws.encode(params, key, x, model=with_hard_values(model), condition=condition)
    check_density(posterior)

    def log_weight(key: Key) -> Array:
        draw = draws.sample(posterior, prior, key)
        log_likelihood, log_ratio = draws.weigh(params, draw, x, model=model, condition=condition)
        return log_likelihood - log_ratio

    return jax.lax.map(log_weight, rng.sample_keys(key, num_samples), batch_size=block_size)


def log_mean_exp(values: Array) -> Array:
    """Compute the logarithm of the mean of exp(values) over the first axis."""
    values = at_least_float32(values)
    return jax.nn.logsumexp(values, axis=0) - math.log(values.shape[0])
