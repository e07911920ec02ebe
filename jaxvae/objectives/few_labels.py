"""Objective for few labels: classes that are not known are summed out."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxvae import pieces, rng
from jaxvae.arguments import check_number
from jaxvae.errors import InputError
from jaxvae.objectives import draws
from jaxvae.objectives.checks import check_arguments
from jaxvae.objectives.weights import blank_padding, weigh, weighted_mean
from jaxvae.types import Array, Key, Model, Params


class FewLabelsTerms(NamedTuple):
    """Terms of `few_labels_loss` per example, in nats."""

    bound: Array
    """`[B]` bound on log p(x, y) of a labelled example, on log p(x) of any other."""
    log_class: Array
    """`[B]` log q(y|x) of a labelled example, 0 of any other."""
    entropy: Array
    """`[B]` entropy of q(y|x)."""


def few_labels_loss(
    params: Params,
    key: Key,
    x: Array,
    *,
    model: Model,
    classifier: Any,
    condition: Array | None = None,
    weights: Array | None = None,
    num_examples: int | None = None,
    num_labelled: int | None = None,
    classification_weight: Array | float = 0.1,
    unlabelled_weight: Array | float = 1.0,
    beta: Array | float = 1.0,
) -> tuple[Array, FewLabelsTerms]:
    r"""Compute the loss of a model of x and its class y (M2), averaged over examples.

        L(x, y) = log p(x|y, z) + log p(y) - beta KL( q(z|x, y) || p(z) ),    z ~ q(z|x, y),    p(y) = 1/K
        labelled     - L(x, y) - classification_weight N / N_labelled log q(y|x)
        unlabelled   - unlabelled_weight sum_y q(y|x) ( L(x, y) - log q(y|x) )

    The sum over the K classes is exact; they lie in the batch axis, so encoder and decoder see K B rows. All classes of
    an example have the same noise, so that their bounds differ by the class alone.

    Args:
        params: the model's parameters, with the classifier's.
        key: one key, or `[B]` keys, one per example.
        x: `[B, ...]` examples.
        model: anything with `encode(params, x, y)`, `decode(params, z, y)` and `prior(params, y)`.
        classifier: piece `(params, x) -> [B, K]` logits, see `extras.Classifier`.
        condition: `[B, K]` one-hot classes; a row of zeros where the class is unknown.
        weights: `[B]` weights of the average; 0 marks padding.
        num_examples: number N of training examples; 1 if not given.
        num_labelled: number of these that have a label; N if not given.
        classification_weight: weight of log q(y|x), alpha of the paper divided by N; there 0.1.
        unlabelled_weight: weight of the unlabelled examples. As a schedule that rises to 1, it lets the classes form
            around their labelled examples first: later they hardly move.
        beta: weight of the KL divergence. As a schedule that falls to 1, it makes y hold what classes differ by before
            z learns to: later the decoder hardly turns from z to y.

    Returns:
        The scalar loss, and the terms per example, in which beta is 1.

    Raises:
        TypeError, ValueError: as for `elbo_loss`; there is no condition; or a weight is negative.

    Reference: Kingma, Rezende, Mohamed & Welling 2014, https://arxiv.org/abs/1406.5298, equations 6 to 9; the factor
    N / N_labelled is that of the authors' code.
    """
    check_arguments(key, x, condition, 1, weights)
    check_number("classification_weight", classification_weight)
    check_number("unlabelled_weight", unlabelled_weight)
    check_number("beta", beta)
    if condition is None:
        raise InputError("condition: few_labels needs the classes, with zeros where unknown; give --condition label")
    x, given = blank_padding(weights, x, condition)
    classes = jnp.asarray(given, jnp.float32)
    known = classes.sum(-1) > 0
    log_class = jax.nn.log_softmax(pieces.call("classifier", classifier, params, x).astype(jnp.float32))
    log_likelihood, kl = _of_each_class(params, key, x, classes.shape[-1], model)
    share = jnp.exp(log_class)
    entropy = -(share * log_class).sum(-1)

    def bound(beta: Array | float, unlabelled_weight: Array | float) -> Array:
        bounds = log_likelihood - weigh(beta, kl) - jnp.log(classes.shape[-1])
        summed = (share * bounds).sum(-1) + entropy
        return jnp.where(known, (classes * bounds).sum(-1), weigh(unlabelled_weight, summed))

    log_known = jnp.where(known, (classes * log_class).sum(-1), 0.0)
    scale = (num_examples or 1) / max(1, num_labelled or num_examples or 1)
    weighted = bound(beta, unlabelled_weight) + weigh(classification_weight, scale * log_known)
    return -weighted_mean(weighted, weights), FewLabelsTerms(bound(1.0, 1.0), log_known, entropy)


def _of_each_class(params: Params, key: Key, x: Array, num_classes: int, model: Model) -> tuple[Array, Array]:
    """Return `[B, K]` log p(x|y, z) and KL divergence for every class."""
    num = len(x)
    keys = key if key.ndim else rng.example_keys(key, jnp.arange(num))
    each = jnp.tile(rng.sample_keys(keys, 1)[0], num_classes)
    rows = jnp.tile(x, (num_classes, *[1] * (x.ndim - 1)))
    classes = jnp.eye(num_classes).repeat(num, axis=0)
    draw = draws.draw(params, each, rows, model=model, condition=classes)
    log_likelihood = draws.decode(params, draw.z, rows, model=model, condition=classes)
    kl = draws.divergence(draw).sum(-1)
    return log_likelihood.reshape(num_classes, num).T, kl.reshape(num_classes, num).T
