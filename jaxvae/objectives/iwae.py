"""Importance-weighted objectives: IWAE, MIWAE, CIWAE, PIWAE, and estimators of the encoder's gradient."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

import jax

from jaxvae import rng
from jaxvae.arguments import check_number, whole_number
from jaxvae.distributions.base import at_least_float32
from jaxvae.distributions.sampling import sample_and_log_prob
from jaxvae.errors import InputError, did_you_mean
from jaxvae.objectives import draws
from jaxvae.objectives.checks import check_arguments, check_density, check_scores
from jaxvae.objectives.draws import Draw
from jaxvae.objectives.importance import log_mean_exp
from jaxvae.objectives.weights import blank_padding, weigh, weighted_mean
from jaxvae.types import Array, Distribution, Key, Model, Params, Value

GradientName = Literal["standard", "stl", "dreg"]


class ImportanceTerms(NamedTuple):
    """Importance-weighted bound, and estimates of the ELBO's two terms from its samples; per example, in nats."""

    bound: Array
    """`[B]` bound that is maximised."""
    log_likelihood: Array
    """`[B]` log p(x|z), averaged over the samples."""
    kl: Array
    """`[B]` log q(z|x) - log p(z), averaged over the samples."""


def iwae_loss(
    params: Params,
    key: Key,
    x: Array,
    *,
    model: Model,
    condition: Array | None = None,
    weights: Array | None = None,
    beta: float | Array = 1.0,
    num_samples: int = 5,
    num_groups: int = 1,
    gradient: GradientName = "standard",
) -> tuple[Array, ImportanceTerms]:
    r"""Compute minus the importance-weighted bound, averaged over examples, to be differentiated in `params`.

        bound = 1/M sum_m log 1/K sum_k w_mk,    w = p(x|z) (p(z) / q(z|x))^beta,    z ~ q(z|x)

    With one group (M = 1) it is the IWAE, with several the MIWAE; at K = M = 1 it is the ELBO with a sampled KL.
    There are three estimators of the encoder's gradient, with the same expectation except for `stl`:

        standard    sum_k v_k d log w_k,              v_k = w_k / sum_j w_j
        stl         the same without the score d log q(z_k|x) at a fixed z: exact only where K = 1
        dreg        sum_k v_k^2 (d log w_k / d z_k) (d z_k), whose noise does not grow with K

    Args:
        params: the model's parameters.
        key: one key, or `[B]` keys, one per example.
        x: `[B, ...]` examples, an array or a tree of arrays.
        model: anything with `encode(params, x)`, `decode(params, z)` and `prior(params)`; a sample may be a tuple.
        condition: `[B, ...]` passed to the three functions, if given.
        weights: `[B]` weights of the average; 0 marks padding.
        beta: weight of log q - log p; 1 gives the bound. One number, such as a schedule's value, or `[B]`.
        num_samples: K, number of samples of z per example and group.
        num_groups: M, number of groups.
        gradient: estimator of the encoder's gradient.

    Returns:
        The scalar loss, and the terms per example.

    Raises:
        TypeError: as for `elbo_loss`.
        ValueError: as for `elbo_loss`; the posterior has no density, as a point; `gradient` is none of these, or stl or
            dreg for a posterior that knows only the density of its own samples.

    Reference: Burda et al. 2016, https://arxiv.org/abs/1509.00519, equation 8; Rainforth et al. 2018,
    https://arxiv.org/abs/1802.04537, equation 9 (MIWAE); Roeder et al. 2017, https://arxiv.org/abs/1703.09194 (STL);
    Tucker et al. 2019, https://arxiv.org/abs/1810.04152, equation 8 (DReG).
    """
    _check_options(gradient, num_groups)
    check_arguments(key, x, condition, num_samples, weights, beta)
    x, condition = blank_padding(weights, x, condition)
    posterior, samples = _sample(params, key, x, model, condition, num_samples * num_groups)
    if gradient != "standard":
        check_scores(posterior, f"gradient {gradient}", "standard")
        posterior, samples = jax.lax.stop_gradient(posterior), samples._replace(log_q=None)
    inputs = (params, posterior, x, condition, at_least_float32(beta))
    bound_of = doubly_reparameterized if gradient == "dreg" else _bound
    bound, terms = bound_of(functools.partial(_weigh, model=model, num_groups=num_groups), inputs, samples)
    return weighted_mean(-bound, weights), ImportanceTerms(bound, *terms)


def ciwae_loss(
    params: Params,
    key: Key,
    x: Array,
    *,
    model: Model,
    condition: Array | None = None,
    weights: Array | None = None,
    beta: float | Array = 1.0,
    num_samples: int = 64,
    num_groups: int = 1,
    gradient: GradientName = "standard",
    elbo_share: float | Array = 0.05,
) -> tuple[Array, ImportanceTerms]:
    r"""Compute minus a mixture of the ELBO and the importance-weighted bound, of the same samples (CIWAE).

        bound = share ELBO + (1 - share) IWAE

    Args:
        params: the model's parameters.
        key: one key, or `[B]` keys.
        x: `[B, ...]` examples, an array or a tree of arrays.
        model: anything with `encode(params, x)`, `decode(params, z)` and `prior(params)`.
        condition: `[B, ...]` passed to the three functions, if given.
        weights: `[B]` weights of the average; 0 marks padding.
        beta: weight of log q - log p; 1 gives the bound.
        num_samples: number of samples of z per example and group.
        num_groups: number of groups of samples, whose bounds are averaged.
        gradient: estimator of the encoder's gradient, see `iwae_loss`.
        elbo_share: share of the ELBO, from 0 to 1; one number, which may be a schedule's value.

    Returns:
        The scalar loss, and the terms per example.

    Raises:
        TypeError, ValueError: as for `iwae_loss`; or the share is not from 0 to 1.

    Reference: Rainforth et al. 2018, https://arxiv.org/abs/1802.04537, equation 13.
    """
    check_number("elbo_share", elbo_share, most=1.0)
    _, terms = iwae_loss(
        params,
        key,
        x,
        model=model,
        condition=condition,
        weights=weights,
        beta=beta,
        num_samples=num_samples,
        num_groups=num_groups,
        gradient=gradient,
    )
    elbo = terms.log_likelihood - weigh(beta, terms.kl)
    bound = weigh(elbo_share, elbo) + weigh(1 - elbo_share, terms.bound)
    return weighted_mean(-bound, weights), terms._replace(bound=bound)


def piwae_loss(
    params: Params,
    key: Key,
    x: Array,
    *,
    model: Model,
    condition: Array | None = None,
    weights: Array | None = None,
    beta: float | Array = 1.0,
    num_samples: int = 8,
    num_groups: int = 8,
) -> tuple[Array, ImportanceTerms]:
    r"""Compute minus the importance-weighted bound, with another one for the encoder's gradient (PIWAE).

        decoder: bound of all M K samples        encoder: mean of M bounds of K samples

    The value is the decoder's bound.

    Args:
        params: the model's parameters.
        key: one key, or `[B]` keys.
        x: `[B, ...]` examples, an array or a tree of arrays.
        model: anything with `encode(params, x)`, `decode(params, z)` and `prior(params)`.
        condition: `[B, ...]` passed to the three functions, if given.
        weights: `[B]` weights of the average; 0 marks padding.
        beta: weight of log q - log p; 1 gives the bound.
        num_samples: K, number of samples of z per example and group.
        num_groups: M, number of groups.

    Returns:
        The scalar loss, and the terms per example.

    Raises:
        TypeError, ValueError: as for `iwae_loss`.

    Reference: Rainforth et al. 2018, https://arxiv.org/abs/1802.04537, section 5.
    """
    _check_options("standard", num_groups)
    check_arguments(key, x, condition, num_samples, weights, beta)
    x, condition = blank_padding(weights, x, condition)
    posterior, samples = _sample(params, key, x, model, condition, num_samples * num_groups)
    fixed = jax.lax.stop_gradient((params, posterior, samples))
    rest = (x, condition, at_least_float32(beta))
    bound, terms = _bound(functools.partial(_weigh, model=model, num_groups=1), (params, fixed[1], *rest), fixed[2])
    for_encoder, _ = _bound(
        functools.partial(_weigh, model=model, num_groups=num_groups), (fixed[0], posterior, *rest), samples
    )
    loss = bound + for_encoder - jax.lax.stop_gradient(for_encoder)
    return weighted_mean(-loss, weights), ImportanceTerms(bound, *terms)


class Samples(NamedTuple):
    """Samples of the posterior `[K, B, ...]`, with their log-densities `[K, B]` where the posterior gives them."""

    z: Value
    log_q: Array | None


Inputs: TypeAlias = tuple[Params, Distribution, Array, Array | None, Array]
Weigh: TypeAlias = Callable[[Inputs, Samples], tuple[Array, tuple[Array, Array]]]
"""Function `(inputs, samples) -> log-weights [M, K, B], and the terms [B]`."""


def _check_options(gradient: str, num_groups: int) -> None:
    whole_number("num_groups", num_groups)
    names = get_args(GradientName)
    if gradient not in names:
        raise InputError(
            f"gradient: must be one of {', '.join(names)}, got {gradient!r}{did_you_mean(gradient, names)}"
        )


def _sample(
    params: Params, key: Key, x: Array, model: Model, condition: Array | None, num_samples: int
) -> tuple[Distribution, Samples]:
    posterior, _ = draws.encode(params, key, x, model=model, condition=condition)
    check_density(posterior)
    return posterior, Samples(
        *jax.vmap(functools.partial(sample_and_log_prob, posterior))(rng.sample_keys(key, num_samples))
    )


def _weigh(inputs: Inputs, samples: Samples, *, model: Model, num_groups: int) -> tuple[Array, tuple[Array, Array]]:
    params, posterior, x, condition, beta = inputs
    prior = model.prior(params, *(() if condition is None else (condition,)))

    def score(sample: Samples) -> tuple[Array, Array]:
        draw = Draw(posterior, prior, *sample)
        return draws.weigh(params, draw, x, model=model, condition=condition, beta=beta)

    log_likelihood, kl = jax.vmap(score)(samples)
    log_weights = log_likelihood - weigh(beta, kl)
    return log_weights.reshape(num_groups, -1, *log_weights.shape[1:]), (log_likelihood.mean(0), kl.mean(0))


def _bound(weigh: Weigh, inputs: Inputs, samples: Samples) -> tuple[Array, tuple[Array, Array]]:
    log_weights, terms = weigh(inputs, samples)
    return _mean_of_groups(log_weights), terms


def _mean_of_groups(log_weights: Array) -> Array:
    return jax.vmap(log_mean_exp)(log_weights).mean(0)


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def doubly_reparameterized(weigh: Weigh, inputs: Inputs, samples: Samples) -> tuple[Array, tuple[Array, Array]]:
    """Compute the bound, its derivative in each sample multiplied by the sample's share of the weight."""
    return _bound(weigh, inputs, samples)


def _forward(weigh: Weigh, inputs: Inputs, samples: Samples) -> tuple[Any, Any]:
    log_weights, pullback, terms = jax.vjp(weigh, inputs, samples, has_aux=True)
    return (_mean_of_groups(log_weights), terms), (pullback, jax.nn.softmax(log_weights, axis=1))


def _backward(weigh: Weigh, kept: Any, cotangents: Any) -> tuple[Inputs, Samples]:
    pullback, share = kept
    d_inputs, d_samples = pullback(cotangents[0][None, None] * share / len(share))
    share = share.reshape(-1, share.shape[-1])

    def again(d: Array) -> Array:
        return (d * share.reshape(share.shape + (1,) * (d.ndim - 2))).astype(d.dtype)

    return d_inputs, jax.tree.map(again, d_samples)


doubly_reparameterized.defvjp(_forward, _backward)
