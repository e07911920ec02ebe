"""The bound with one of its two terms taken from the encoder: what each of them does to the latent space."""

from __future__ import annotations

from typing import Any

import jax

from jaxvae.model import Functions
from jaxvae.objectives.elbo import elbo_loss
from jaxvae.types import Array, Distribution, ElboTerms, Key, Model, Params


def kl_only_loss(params: Params, key: Key, x: Array, *, model: Model, **options: Any) -> tuple[Array, ElboTerms]:
    r"""`elbo_loss` whose encoder hears of the KL alone; the decoder learns from whatever codes it then gets.

        encoder: grad KL( q(z|x) || p(z) )        decoder: grad -E_q(z|x)[ log p(x|z) ]

    The value is minus the ELBO as ever; only the gradient lacks the likelihood's part in the encoder. Every posterior
    becomes the prior, so codes say nothing, and the best that is left to the decoder is the data's mean: with Bernoulli
    pixels the bound ends at minus the sum of the mean image's pixel entropies.

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
