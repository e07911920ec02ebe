"""Objective of vector-quantized autoencoders (VQ-VAE)."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax

from jaxvae.arguments import check_number
from jaxvae.errors import InputError
from jaxvae.objectives import draws
from jaxvae.objectives.checks import check_arguments
from jaxvae.objectives.weights import blank_padding, weighted_mean
from jaxvae.types import Array, Key, Model, Params


class QuantizedTerms(NamedTuple):
    """Terms of `quantized_loss`, per example."""

    log_likelihood: Array
    """`[B]` log p(x|z) at the codes, in nats."""
    kl: Array
    """`[B]` -log p(z) in nats: with a uniform prior, the number of positions times log K."""
    commitment: Array
    """`[B]` squared distance from the encoder's outputs to their codes."""
    perplexity: Array
    """`[B]` effective number of codes in use, the same for all examples."""


def quantized_loss(
    params: Params,
    key: Key,
    x: Array,
    *,
    model: Model,
    condition: Array | None = None,
    weights: Array | None = None,
    commitment: Array | float = 0.25,
) -> tuple[Array, QuantizedTerms]:
    r"""Compute minus the bound of a model with codes, plus the commitment of its encoder, averaged over examples.

        loss = mean_b [ -log p(x|z_e) - log p(e) + commitment |z_e - sg(e)|^2 ]

    z_e is the encoder's output, e the nearest code, and sg stops gradients; squared distances are summed over
    positions. A codebook that learns by gradient descends |sg(z_e) - e|^2, which adds nothing to the value. The first
    two terms are a bound on -log p(x), because a point posterior over codes has probability 1.

    Args:
        params: the model's parameters.
        key: one key, or `[B]` keys, one per example.
        x: `[B, ...]` examples.
        model: model whose posterior is quantized, see `posteriors.quantized`.
        condition: `[B, ...]` passed to the model's functions, if given.
        weights: `[B]` weights of the average; 0 marks padding.
        commitment: weight of the distance from the encoder's outputs to their codes.

    Returns:
        The scalar loss, and the terms per example.

    Raises:
        InputError: the posterior has no codes.
        TypeError, ValueError: as for `elbo_loss`.

    Reference: van den Oord et al. 2017, https://arxiv.org/abs/1711.00937, equation 3.
    """
    check_arguments(key, x, condition, 1, weights)
    check_number("commitment", commitment)
    x, condition = blank_padding(weights, x, condition)
    draw = draws.draw(params, key, x, model=model, condition=condition)
    posterior: Any = draw.posterior
    if not hasattr(posterior, "commitment"):
        raise InputError(
            f"objective: quantized needs a posterior with codes, got {type(posterior).__name__}; "
            "give --posterior vector_quantized"
        )
    log_likelihood = draws.decode(params, draw.z, x, model=model, condition=condition)
    kl = draws.divergence(draw).sum(-1)
    terms = QuantizedTerms(log_likelihood, kl, posterior.commitment, posterior.perplexity)
    towards_outputs = posterior.codebook_distance - jax.lax.stop_gradient(posterior.codebook_distance)
    per_example = terms.kl - terms.log_likelihood + commitment * terms.commitment + towards_outputs
    return weighted_mean(per_example, weights), terms
