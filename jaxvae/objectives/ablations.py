"""Ablation of the bound: an encoder trained by the KL alone, to show the effect of each term."""

from __future__ import annotations

from typing import Any

import jax

from jaxvae.model import Functions
from jaxvae.objectives.elbo import elbo_loss
from jaxvae.types import Array, Distribution, ElboTerms, Key, Model, Params


def kl_only_loss(params: Params, key: Key, x: Array, *, model: Model, **options: Any) -> tuple[Array, ElboTerms]:
    r"""Compute `elbo_loss` with the encoder trained by the KL alone; the decoder learns from the resulting codes.

        encoder: grad KL( q(z|x) || p(z) )        decoder: grad -E_q(z|x)[ log p(x|z) ]

    The value is minus the ELBO; only the gradient lacks the likelihood's part in the encoder. Every posterior becomes
    the prior, so codes carry no information, and the optimal decoder returns the data's mean: with Bernoulli pixels
    the bound converges to minus the sum of the mean image's pixel entropies.

    Args:
        params: the model's parameters.
        key: one key, or `[B]` keys.
        x: `[B, ...]` examples.
        model: see `elbo_loss`, as all other options.
        options: handed on to `elbo_loss`.

    Returns:
        The scalar loss, and the terms per example.
    """

    def decode(params: Params, z: Array, *given: Array) -> Distribution:
        return model.decode(params, jax.lax.stop_gradient(z), *given)

    return elbo_loss(params, key, x, model=Functions(model.encode, decode, model.prior), **options)
