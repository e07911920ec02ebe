"""Hybrid of the ELBO and of a prediction from the prior, for conditional models that are used without x."""

from __future__ import annotations

from typing import NamedTuple

from jaxvae.arguments import check_number
from jaxvae.objectives import draws
from jaxvae.objectives.checks import check_arguments
from jaxvae.objectives.weights import blank_padding, weigh, weighted_mean
from jaxvae.types import Array, Key, Model, Params


class HybridTerms(NamedTuple):
    """Terms of `hybrid_loss` per example, in nats."""

    log_likelihood: Array
    """`[B]` log p(x|z, c) with z from the posterior."""
    kl: Array
    """`[B]` KL(q(z|x, c) || p(z|c))."""
    prediction: Array
    """`[B]` log p(x|z, c) with z from the prior."""


def hybrid_loss(
    params: Params,
    key: Key,
    x: Array,
    *,
    model: Model,
    condition: Array | None = None,
    weights: Array | None = None,
    prediction_weight: Array | float = 0.5,
) -> tuple[Array, HybridTerms]:
    r"""Compute minus a mixture of the ELBO and of log p(x|z, c) at a sample of the prior, averaged over examples.

        loss = - mean_b [ (1 - w) ( log p(x|z, c) - KL( q(z|x, c) || p(z|c) ) ) + w log p(x|z~, c) ],    z~ ~ p(z|c)

    In training z comes from the posterior, which sees x; in use it comes from the prior. The second term (a Gaussian
    stochastic neural network) trains the decoder and the prior for that.

    Args:
        params: the model's parameters.
        key: one key, or `[B]` keys, one per example.
        x: `[B, ...]` examples, an array or a tree of arrays.
        model: anything with `encode(params, x)`, `decode(params, z)` and `prior(params)`.
        condition: `[B, ...]` passed to the three functions, if given.
        weights: `[B]` weights of the average; 0 marks padding.
        prediction_weight: weight w of the prediction, from 0, the ELBO, to 1, the prediction alone.

    Returns:
        The scalar loss, and the terms per example.

    Raises:
        TypeError, ValueError: as for `elbo_loss`; or the weight is not in [0, 1].

    Reference: Sohn, Lee & Yan 2015, https://papers.nips.cc/paper/5775, equations 6 and 7, there with alpha = 1 - w.
    """
    check_arguments(key, x, condition, 1, weights)
    check_number("prediction_weight", prediction_weight, most=1.0)
    x, condition = blank_padding(weights, x, condition)
    draw = draws.draw(params, key, x, model=model, condition=condition)
    log_likelihood = draws.decode(params, draw.z, x, model=model, condition=condition)
    kl = draws.divergence(draw).sum(-1)
    of_prior = draws.draw_prior(draw, draws.stream(key, "prior"))
    prediction = draws.decode(params, of_prior, x, model=model, condition=condition)
    terms = HybridTerms(log_likelihood, kl, prediction)
    bound = weigh(1 - prediction_weight, log_likelihood - kl)
    return -weighted_mean(bound + weigh(prediction_weight, prediction), weights), terms
