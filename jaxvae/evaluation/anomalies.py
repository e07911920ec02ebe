"""Anomaly scores of examples, by the bounds of a model: the higher, the more anomalous."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from jaxvae import rng
from jaxvae.distributions.by_value import log_prob_by_value, scores_values
from jaxvae.distributions.flags import has_density, has_kl, is_normalized, is_relaxed
from jaxvae.objectives import draws
from jaxvae.objectives.checks import check_arguments
from jaxvae.objectives.importance import log_mean_exp
from jaxvae.objectives.overriding import with_hard_values
from jaxvae.types import Array, Key, Model, Params

RECONSTRUCTION, ELBO, LOG_PX, BY_VALUE = "reconstruction", "negative_elbo", "negative_log_px", "by_value"
"""Names of the scores."""


def anomaly_scores(
    params: Params,
    key: Key,
    x: Any,
    *,
    model: Model,
    condition: Any = None,
    num_samples: int = 100,
) -> dict[str, Array]:
    r"""Return scores of each example by name, all from the same samples of z, in nats.

        reconstruction      - E_q log p(x|z)
        negative_elbo       - E_q log p(x|z) + KL(q(z|x) || p(z))
        negative_log_px     - log 1/K sum_k p(x|z_k) p(z_k) / q(z_k|x)
        by_value            - E_q log p(x_d|z), the reconstruction score before its sum

    The first is the reconstruction probability; it depends on the variances that a likelihood learns. Scores that a
    model lacks are left out: of a point as posterior all but the reconstruction, of codes of a codebook the weights,
    and of a likelihood that does not score values separately the last.

    Args:
        params: the model's parameters.
        key: one key, or `[B]` keys, one per example (see `rng.example_keys`), with which no score depends on others.
        x: `[B, ...]` examples, an array or a tree of arrays.
        model: anything with `encode(params, x)`, `decode(params, z)` and `prior(params)`.
        condition: `[B, ...]` passed to the three functions, if given.
        num_samples: K, number of samples of z per example, which are decoded one after another.

    Returns:
        `[B]` scores, and `[B, ...]` of values, by name.

    Reference: An & Cho 2015, Variational autoencoder based anomaly detection using reconstruction probability,
    algorithm 4; Burda et al. 2016, https://arxiv.org/abs/1509.00519, equation 8.
    """
    check_arguments(key, x, condition, num_samples)
    model = with_hard_values(model)
    posterior, prior = draws.encode(params, key, x, model=model, condition=condition)
    given = () if condition is None else (condition,)

    def draw_of(key: Key) -> draws.Draw:
        return draws.sample_with_kl(posterior, prior, key)

    def likelihood_of(z: Any) -> Any:
        return model.decode(params, z, *given)

    keys = rng.sample_keys(key, num_samples)
    one = jax.eval_shape(lambda keys: keys[0], keys)
    decoded = jax.eval_shape(lambda key: likelihood_of(draw_of(key).z), one)
    has_weights = has_density(posterior) and not is_relaxed(posterior) and is_normalized(decoded)
    by_value = scores_values(decoded)

    def values_of(draw: draws.Draw) -> Array:
        return log_prob_by_value(likelihood_of(draw.z), x) if by_value else jnp.zeros(())

    def step(total: Array, key: Key) -> tuple[Array, dict[str, Array]]:
        draw = draw_of(key)
        terms = {RECONSTRUCTION: draws.decode(params, draw.z, x, model=model, condition=condition)}
        if has_kl(posterior):
            terms[ELBO] = terms[RECONSTRUCTION] - draws.divergence(draw).sum(-1)
        if has_weights:
            log_likelihood, log_ratio = draws.weigh(params, draw, x, model=model, condition=condition)
            terms[LOG_PX] = log_likelihood - log_ratio
        return total + values_of(draw), terms

    shape = jax.eval_shape(lambda key: values_of(draw_of(key)), one).shape
    total, terms = jax.lax.scan(step, jnp.zeros(shape), keys)
    scores = {name: -(log_mean_exp(term) if name == LOG_PX else term.mean(0)) for name, term in terms.items()}
    return {**scores, BY_VALUE: -total / num_samples} if by_value else scores
