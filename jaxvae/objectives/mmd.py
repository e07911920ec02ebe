"""Maximum mean discrepancy between codes and prior as a penalty (InfoVAE, MMD-VAE, WAE-MMD)."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

import jax.numpy as jnp

from jaxvae.arguments import check_number
from jaxvae.distributions.base import at_least_float32
from jaxvae.distributions.sampling import as_rows
from jaxvae.errors import InputError, did_you_mean
from jaxvae.objectives import draws
from jaxvae.objectives.checks import check_arguments
from jaxvae.objectives.coupling import counts_of, gather, own_places
from jaxvae.objectives.weights import blank_padding, weigh, weighted_mean
from jaxvae.types import Array, Key, Model, Params

Kernel = Literal["imq", "rbf"]


class DiscrepancyTerms(NamedTuple):
    """Terms of `info_vae_loss`, per example."""

    log_likelihood: Array
    """`[B]` log p(x|z), in nats."""
    kl: Array
    """`[B]` KL(q(z|x) || p(z)), in nats."""
    squared_mmd: Array
    """`[B]` shares of the squared discrepancy, whose mean is its estimate; it may be below 0."""


def info_vae_loss(
    params: Params,
    key: Key,
    x: Array,
    *,
    model: Model,
    condition: Array | None = None,
    weights: Array | None = None,
    axis_name: str | None = None,
    alpha: Array | float = 0.0,
    mmd_weight: Array | float = 10.0,
    kernel: Kernel = "imq",
    bandwidth: Array | float = 1.0,
) -> tuple[Array, DiscrepancyTerms]:
    r"""Compute minus the InfoVAE objective, averaged over examples.

        loss = mean_b [ -log p(x|z) + (1 - alpha) KL( q(z|x) || p(z) ) ] + mmd_weight MMD^2( q(z), p(z) )
        MMD^2 = E k(z, z') + E k(y, y') - 2 E k(z, y),    z ~ q(z), y ~ p(z)

    The expectations are means over all pairs of different examples of the batch, each with one sample z of its
    posterior and one sample y of the prior, so the estimate has no bias. `mmd_weight` is the paper's alpha + lambda -
    1. At alpha = 0 and without the discrepancy it is minus the ELBO; at alpha = 1 it is the MMD-VAE, and with a point
    as posterior the WAE-MMD.

    Args:
        params: the model's parameters.
        key: one key, or `[B]` keys, one per example.
        x: `[B, ...]` examples, an array or a tree of arrays.
        model: anything with `encode(params, x)`, `decode(params, z)` and `prior(params)`.
        condition: `[B, ...]` passed to the three functions, if given.
        weights: `[B]` weights of the average; 0 marks padding.
        axis_name: device axis over which the batch is spread, if any.
        alpha: share of the KL that is left out, from 0 to 1.
        mmd_weight: weight of the squared discrepancy of codes and prior.
        kernel: imq, c / (c + d^2), or rbf, exp(-d^2 / c), of the distance d of two codes, with c = 2 D bandwidth^2.
        bandwidth: length scale of the kernel; 1 fits a standard normal prior.

    Returns:
        The scalar loss, and the terms per example.

    Raises:
        InputError: a number is out of range, or there is no such kernel.
        TypeError, ValueError: as for `elbo_loss`.

    Reference: Zhao et al. 2017, https://arxiv.org/abs/1706.02262, section 3 (objective); Tolstikhin et al. 2018,
    https://arxiv.org/abs/1711.01558, algorithm 2 (estimate) and section 4 (kernel imq).
    """
    check_arguments(key, x, condition, 1, weights)
    check_number("alpha", alpha, most=1.0)
    check_number("mmd_weight", mmd_weight)
    check_number("bandwidth", bandwidth)
    if kernel not in KERNELS:
        hint = did_you_mean(kernel, KERNELS)
        raise InputError(f"kernel: must be one of {', '.join(get_args(Kernel))}, got {kernel!r}{hint}")
    x, condition = blank_padding(weights, x, condition)
    draw = draws.draw(params, key, x, model=model, condition=condition)
    log_likelihood = draws.decode(params, draw.z, x, model=model, condition=condition)
    kl = draws.divergence(draw, 1 - alpha).sum(-1)

    codes = at_least_float32(as_rows(draw.z))
    of_prior = at_least_float32(as_rows(draws.draw_prior(draw, draws.stream(key, "prior"))))
    counts = counts_of(x, weights)
    everyone = gather((codes, of_prior, counts), axis_name)
    own = own_places(len(counts), axis_name)[:, None] == jnp.arange(len(everyone[2]))
    scale = 2 * codes.shape[1] * at_least_float32(bandwidth) ** 2
    shares = _shares(kernel, scale, (codes, of_prior), everyone, own)

    terms = DiscrepancyTerms(log_likelihood, kl, shares)
    return weighted_mean(weigh(1 - alpha, kl) + weigh(mmd_weight, shares) - log_likelihood, weights), terms


KERNELS = {
    "imq": lambda squared_distance, scale: scale / (scale + squared_distance),
    "rbf": lambda squared_distance, scale: jnp.exp(-squared_distance / scale),
}
"""Kernels by name, functions `(squared distance, scale) -> similarity`."""


def _shares(
    kernel: Kernel, scale: Array, own_codes: tuple[Array, Array], everyone: tuple[Array, Array, Array], own: Array
) -> Array:
    """Return `[B]` shares whose weighted mean over all devices' examples is the estimate of MMD^2."""
    (codes, of_prior), (every_code, every_prior, counts) = own_codes, everyone
    others = jnp.where(own, 0.0, counts)
    total, pairs = counts.sum(), jnp.square(counts.sum()) - jnp.square(counts).sum()

    def similarity(a: Array, b: Array) -> Array:
        # Differences instead of |a|^2 + |b|^2 - 2ab, which loses digits far from the origin.
        return KERNELS[kernel](jnp.square(a[:, None] - b).sum(-1), scale)

    same = (similarity(codes, every_code) + similarity(of_prior, every_prior)) * others
    across = similarity(codes, every_prior) * counts
    # One example has no pair, and no example no mean: both numerators are 0 then.
    return total * same.sum(1) / _positive(pairs) - 2 * across.sum(1) / _positive(total)


def _positive(number: Array) -> Array:
    return jnp.where(number == 0, 1.0, number)
