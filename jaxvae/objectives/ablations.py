"""Ablation of the bound: an encoder trained by the KL alone, to show the effect of each term."""

from __future__ import annotations

import jax

from jaxvae.objectives.elbo import elbo_loss
from jaxvae.objectives.overriding import override
from jaxvae.types import Array, Distribution, ElboTerms, Key, Model, Params, Value


def kl_only_loss(
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
) -> tuple[Array, ElboTerms]:
    r"""Compute `elbo_loss` with the encoder trained by the KL alone; the decoder learns from the resulting codes.

        encoder: grad KL( q(z|x) || p(z) )        decoder: grad -E_q(z|x)[ log p(x|z) ]

    The value is minus the ELBO; only the gradient lacks the likelihood's part in the encoder. Every posterior becomes
    the prior, so codes carry no information, and the optimal decoder returns the data's mean: with Bernoulli pixels
    the bound converges to minus the sum of the mean image's pixel entropies.

    Args:
        params: the model's parameters.
        key: one key, or `[B]` keys.
        x: `[B, ...]` examples, an array or a tree of arrays.
        model: anything with `encode(params, x)`, `decode(params, z)` and `prior(params)`.
        condition: `[B, ...]` passed to the three functions, if given.
        weights: `[B]` weights of the average; 0 marks padding.
        beta: weight of the KL.
        num_samples: number of samples of z per example.
        free_bits: nats of KL per latent dimension and example that the loss leaves out.

    Returns:
        The scalar loss, and the terms per example.

    Raises:
        TypeError, ValueError: as for `elbo_loss`.
    """

    def decode(params: Params, z: Value, *given: Array) -> Distribution:
        return model.decode(params, jax.lax.stop_gradient(z), *given)

    return elbo_loss(
        params,
        key,
        x,
        model=override(model, decode=decode),
        condition=condition,
        weights=weights,
        beta=beta,
        num_samples=num_samples,
        free_bits=free_bits,
    )
