"""Decomposition of the KL: mutual information, total correlation and dimension-wise KL."""

from __future__ import annotations

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxvae import rng
from jaxvae.distributions import Normal
from jaxvae.distributions.normal import LOG_2PI
from jaxvae.errors import InputError
from jaxvae.evaluation.blocks import check_counts, example_blocks, take
from jaxvae.types import Array, Bar, Key

AT_ONCE = 25
"""Number of blocks of samples between two updates of a progress bar."""


class KLDecomposition(NamedTuple):
    """Three parts of the mean KL(q(z|x) || p(z)), in nats; sampled, so each may be slightly below 0."""

    mutual_information: float
    """I(x; z): information of a code about its example; at most log N."""
    total_correlation: float
    """KL(q(z) || prod_d q(z_d)): dependence between the dimensions; 0 if independent."""
    dimension_wise_kl: float
    """Sum of KL(q(z_d) || p(z_d)) over the dimensions d."""

    @property
    def aggregate_kl(self) -> float:
        """KL(q(z) || p(z)): divergence of the aggregate posterior from the prior."""
        return self.total_correlation + self.dimension_wise_kl

    @property
    def kl(self) -> float:
        """Sum of the three parts, the KL of the ELBO."""
        return self.mutual_information + self.aggregate_kl


def decompose_kl(
    key: Key, posterior: Normal, prior: Normal, *, block_size: int = 20, progress: Bar = iter
) -> KLDecomposition:
    r"""Decompose the mean KL of N posteriors, with q(z) = 1/N sum_n q(z|x_n) and one sample of each posterior.

        E_n KL(q(z|x_n) || p(z)) = E[log q(z|x) - log q(z)]                     mutual information
                                 + E[log q(z) - log prod_d q(z_d)]             total correlation
                                 + E[log prod_d q(z_d) - log p(z)]             dimension-wise KL

    The N examples are the whole population, so q(z) is exact and not estimated from a minibatch. Time grows with N^2 D.

    Args:
        key: one key.
        posterior: `[N, D]`, of all examples.
        prior: `[D]`.
        block_size: number of samples per block; memory is block_size times N times D.
        progress: wrapper of the loop over samples, many blocks at a time, such as `tqdm`.

    Raises:
        InputError: posterior or prior is not a diagonal normal, whose dimensions are scored separately; there are
            no examples, or `block_size` is below 1.

    Reference: Hoffman & Johnson 2016, "ELBO surgery"; Chen et al. 2018, https://arxiv.org/abs/1802.04942, equation 2.
    """
    for name, each in (("posterior", posterior), ("prior", prior)):
        if not isinstance(each, Normal):
            raise InputError(
                f"{name}: must be a Normal, whose dimensions are scored one by one, got a {type(each).__name__}"
            )
    num = len(posterior.mean)
    check_counts(block_size=block_size)
    if not num:
        raise InputError("posterior: of no examples; give one or more")
    # Every sample is scored by all posteriors.
    posterior = jax.tree.map(lambda array: take(array, np.arange(num)), posterior)
    key = rng.stream(key, "decompose_kl")
    blocks = example_blocks(num, AT_ONCE * block_size, progress)
    rows = [np.asarray(_score(key, ids, posterior, prior, block_size)) for ids in blocks]
    return KLDecomposition(*np.concatenate(rows)[:num].astype(np.float64).mean(axis=0).tolist())


@functools.partial(jax.jit, static_argnums=4)
def _score(key: Key, ids: Array, posterior: Normal, prior: Normal, block_size: int) -> Array:
    """Return `[B, 3]`, the three parts for one sample of each of these posteriors."""

    def score(item: tuple[Key, Array, Array]) -> Array:
        key, mean, log_var = item
        z = Normal(mean, log_var).sample(key)
        own, of_prior = (_log_density(z, d.mean, d.log_var).sum() for d in (Normal(mean, log_var), prior))
        every = _log_density(z, posterior.mean, posterior.log_var)
        together = jax.nn.logsumexp(every.sum(-1)) - jnp.log(len(every))
        apart = (jax.nn.logsumexp(every, axis=0) - jnp.log(len(every))).sum()
        return jnp.stack([own - together, together - apart, apart - of_prior])

    return jax.lax.map(
        score, (rng.example_keys(key, ids), posterior.mean[ids], posterior.log_var[ids]), batch_size=block_size
    )


def _log_density(z: Array, mean: Array, log_var: Array) -> Array:
    """Compute log-densities per dimension, without the sum of `Normal.log_prob`."""
    return -0.5 * (LOG_2PI + log_var + jnp.square((z - mean) * jnp.exp(-0.5 * log_var)))
