"""Quadrature of the evidence log p(x), for one or two latent dimensions.

Cells of one lattice, shared by all examples, are split where p(x, z) of any example has mass, until shifted lattices
agree.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxvae.distributions import Bernoulli, ContinuousBernoulli, GreyCrossEntropy
from jaxvae.distributions.base import at_least_float32
from jaxvae.distributions.flags import has_density
from jaxvae.distributions.kl import log_prob_per_example
from jaxvae.errors import InputError
from jaxvae.evaluation.blocks import check_counts, count_examples, take
from jaxvae.evaluation.compiled import compiled
from jaxvae.types import Array, Distribution, Model, Params

NEGLIGIBLE = 30.0
"""Nats below the best cell at which a cell is split no further."""
POINTS_AT_ONCE = 2048

Score = Callable[[Array], Array]
"""Function from points `[P, D]` to log p(x, z) `[B, P]`."""


class Evidence(NamedTuple):
    """Estimates of log p(x) per example, in nats, with their errors."""

    log_px: np.ndarray
    """`[N]` estimates."""
    error: np.ndarray
    """`[N]` largest difference of the mean of the last 2^D lattices from one of them, or from the mean before; plus an
    estimate of the mass outside the region."""


def log_evidence(
    params: Params,
    x: Array | np.ndarray,
    *,
    model: Model,
    tolerance: float = 1e-3,
    half_width: float = 8.0,
    spacing: float = 0.4,
    block_size: int = 100,
    max_points: int = 2**18,
) -> Evidence:
    r"""Compute the logarithm of p(x), the integral of p(x|z) p(z) over all z, for 1 or 2 latent dimensions.

    A lattice no coarser than the width of p(x, z) integrates it with an exponentially small error. Each cell is split
    into 2^D, whose centres make 2^D shifted lattices. An example is finished when these agree, with each other and
    with those that were split. The encoder is not used, and nothing is sampled.

    Args:
        params: the model's parameters.
        x: `[N, ...]` examples.
        model: see `elbo_terms`; its posterior is not used.
        tolerance: error, in nats, at which an example is finished.
        half_width: half the width of the region, centred at 0, in every dimension.
        spacing: initial distance between points. A mode may be far narrower, if p(x, z) rises towards it.
        block_size: number of examples that share their points, each decoded once.
        max_points: number of points at which a block stops, with the error reached by then.

    Returns:
        `[N]` nats, and the error of each.

    Raises:
        InputError: there are more than 2 latent dimensions or no examples, or a number is below 1.

    Reference: Trefethen & Weideman 2014, https://doi.org/10.1137/130932132 (accuracy of the rule).
    """
    check_counts(block_size=block_size, max_points=max_points)
    if not count_examples(x):
        raise InputError("x: holds no examples; give one or more")
    prior = model.prior(params)
    if not has_density(prior):
        raise InputError(f"model: its prior is a {type(prior).__name__}, without a density to integrate")
    dim = jax.tree.leaves(jax.eval_shape(prior.sample, jax.random.key(0)))[0].shape[-1]
    if dim > 2:
        raise InputError(
            f"model: quadrature needs 1 or 2 latent dimensions, the prior has {dim}; use importance_weighted_bound"
        )
    cells = _cells(dim, half_width, spacing)
    of_points = compiled(log_joint, model=model)
    blocks = []
    for first in range(0, count_examples(x), block_size):
        ids = np.arange(first, min(first + block_size, count_examples(x)))
        score = functools.partial(of_points, params, take(x, ids))
        log_px, error = _refine(score, cells, spacing, tolerance, max_points)
        blocks.append((log_px, error + _outside(score, cells, spacing, log_px)))
    return Evidence(*map(np.concatenate, zip(*blocks)))


def log_joint(params: Params, x: Array, z: Array, *, model: Model) -> Array:
    """Compute `[B, P]` log p(x|z) + log p(z) in nats, of every example `[B, ...]` at every point `[P, D]`."""
    log_prior = log_prob_per_example(model.prior(params), z)
    return _log_likelihoods(model.decode(params, z), x, len(z)) + log_prior


def _log_likelihoods(likelihood: Distribution, x: Array, num_points: int) -> Array:
    if isinstance(likelihood, Bernoulli | ContinuousBernoulli | GreyCrossEntropy):
        # log p(x) = x . logits + log p(0) is one matrix product, dozens of times as fast as a loop over pairs.
        logits = at_least_float32(likelihood.logits)
        products = jnp.matmul(x.reshape(len(x), -1), logits.reshape(num_points, -1).T, precision="highest")
        return products + likelihood.log_prob(jnp.zeros_like(logits))

    def at_every_point(one: Any) -> Array:
        repeated = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (num_points, *leaf.shape)), one)
        return log_prob_per_example(likelihood, repeated)

    return jax.vmap(at_every_point)(x)


def _refine(
    score: Score, cells: np.ndarray, spacing: float, tolerance: float, max_points: int
) -> tuple[np.ndarray, np.ndarray]:
    """Split cells `[C, D]` until every example is finished: log p(x) and the lattices' disagreement, `[B]` each."""
    dim = cells.shape[-1]
    log_px, error, settled = np.full(1, np.inf), np.full(1, np.inf), np.full((1, 1), -np.inf)
    while True:
        points = _split(cells, spacing)
        values = _score_all(score, points)
        lattices = np.logaddexp(settled, _log_sum(values) + dim * np.log(spacing))
        mean = np.logaddexp.reduce(lattices, axis=1) - np.log(2**dim)
        unfinished = error > tolerance
        # With a symmetric p(x, z) all lattices may agree by symmetry, so compare with the ones before too.
        apart = np.maximum(abs(lattices - mean[:, None]).max(axis=1), abs(log_px - mean))
        log_px, error = np.where(unfinished, mean, log_px), np.where(unfinished, apart, error)

        split = (values > _negligible(values))[error > tolerance].any(axis=0)
        # Only unfinished examples cause splits.
        if not 0 < split.sum() * 2**dim <= max_points:
            return log_px, error
        cells, spacing = points[split], spacing / 2
        rest = _log_sum(np.where(split, -np.inf, values).reshape(len(values), -1, 1))
        settled = np.logaddexp(settled, rest + dim * np.log(spacing))


def _cells(dim: int, half_width: float, spacing: float) -> np.ndarray:
    """Return `[C, D]` centres of cells that cover the region."""
    count = round(2 * half_width / spacing)
    axis = (np.arange(count) + 0.5 - count / 2) * spacing
    return np.stack(np.meshgrid(*[axis] * dim), axis=-1).reshape(-1, dim)


def _split(cells: np.ndarray, spacing: float) -> np.ndarray:
    """Return `[C, 2^D, D]` centres of each cell's 2^D parts."""
    corners = np.array(list(itertools.product((-1, 1), repeat=cells.shape[-1])))
    return cells[:, None] + spacing / 4 * corners


def _score_all(score: Score, points: np.ndarray) -> np.ndarray:
    """Score points `[..., D]` in blocks; returns `[B, ...]`."""
    flat = points.reshape(-1, points.shape[-1]).astype(np.float32)
    # The last block is padded with the first points, to keep one compiled shape.
    blocks = np.resize(flat, (-(-len(flat) // POINTS_AT_ONCE), POINTS_AT_ONCE, flat.shape[-1]))
    values = np.concatenate([np.asarray(score(jnp.asarray(block))) for block in blocks], axis=1)
    return values[:, : len(flat)].reshape(-1, *points.shape[:-1])


def _negligible(values: np.ndarray) -> np.ndarray:
    """Return `[B, 1, 1]` values that a cell must exceed to be split."""
    best = values.max(axis=2).argmax(axis=1)
    # A mode narrower than a cell may exceed its points by about as much as they differ.
    lowest = values[np.arange(len(values)), best].min(axis=1)
    return lowest[:, None, None] - NEGLIGIBLE


def _log_sum(values: np.ndarray) -> np.ndarray:
    """Return `[B, K]` log of the sum of exp(values) over cells, from `[B, C, K]`."""
    top = values.max(axis=(1, 2), keepdims=True)
    top = np.where(np.isfinite(top), top, 0)
    with np.errstate(divide="ignore"):
        return top[:, 0] + np.log(np.exp(values - top).sum(axis=1, dtype=np.float64))


def _outside(score: Score, cells: np.ndarray, spacing: float, log_px: np.ndarray) -> np.ndarray:
    """Return `[B]` nats by which log p(x) would rise if the region were extended by a copy of its rim."""
    reach = abs(cells).max(axis=1)
    rim = _score_all(score, cells[reach > reach.max() - spacing / 2][:, None])
    log_mass = _log_sum(rim)[:, 0] + cells.shape[-1] * np.log(spacing)
    return np.logaddexp(0.0, log_mass - log_px)
