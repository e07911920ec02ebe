"""Draws of the posterior and their weights, from which all bounds and penalties are made.

They are functions, because estimators of the gradient differentiate them in their own ways, and per draw, because
thousands of draws are mapped in blocks.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxvae import rng
from jaxvae.distributions.kl import kl_per_dimension, log_prob_per_example, log_ratio
from jaxvae.distributions.sampling import sample_and_log_prob
from jaxvae.objectives.checks import check_distributions, check_key, check_per_example
from jaxvae.objectives.weights import without_gradient_at_zero
from jaxvae.types import Array, Distribution, Key, Model, Params, Value


class Draw(NamedTuple):
    """One sample of every example's posterior, and the distributions that score it."""

    posterior: Distribution
    """q(z|x)."""
    prior: Distribution
    """p(z)."""
    z: Value
    """Sample of q(z|x)."""
    log_q: Array | None
    """`[B]` log q(z|x) where the posterior gives it with the sample, else None: `posterior.log_prob` gives it."""
    kl: Array | None = None
    """`[B, D]` KL(q(z|x) || p(z)) where the posterior gives it with the sample, else None."""


def encode(
    params: Params, key: Key, x: Any, *, model: Model, condition: Any = None
) -> tuple[Distribution, Distribution]:
    """Return posterior and prior of a batch.

    Raises:
        TypeError: the model returns no distributions.
        ValueError: `[B]` keys are given for another library's posterior.
    """
    given = () if condition is None else (condition,)
    posterior = model.encode(params, x, *given)
    prior = model.prior(params, *given)
    check_distributions(encode=posterior, prior=prior)
    check_key(key, posterior)
    return posterior, prior


def sample(posterior: Distribution, prior: Distribution, key: Key) -> Draw:
    """Sample each example's posterior once, with log q(z|x) where the posterior gives it."""
    return Draw(posterior, prior, *sample_and_log_prob(posterior, key))


def sample_with_kl(posterior: Distribution, prior: Distribution, key: Key) -> Draw:
    """Sample each example's posterior once, with the KL where sampling and KL share their work, as in a hierarchy."""
    if not hasattr(posterior, "sample_and_kl"):
        return sample(posterior, prior, key)
    z, kl = posterior.sample_and_kl(key, prior)
    return Draw(posterior, prior, z, None, kl)


def draw(params: Params, key: Key, x: Any, *, model: Model, condition: Any = None) -> Draw:
    """Encode a batch and sample each example once: the first sample that a bound takes with the same key.

    Args:
        params: the model's parameters.
        key: one key, or `[B]` keys, one per example.
        x: `[B, ...]` examples, an array or a tree of arrays.
        model: anything with `encode(params, x)`, `decode(params, z)` and `prior(params)`.
        condition: `[B, ...]` passed to the three functions, if given.
    """
    posterior, prior = encode(params, key, x, model=model, condition=condition)
    return sample_with_kl(posterior, prior, rng.sample_keys(key, 1)[0])


def decode(params: Params, z: Value, x: Any, *, model: Model, condition: Any = None) -> Array:
    """Return `[B]` log p(x|z) in nats.

    Raises:
        TypeError: the model returns no distribution.
        ValueError: the distribution does not score x, or not one number per example.
    """
    likelihood = model.decode(params, z, *(() if condition is None else (condition,)))
    check_distributions(decode=likelihood)
    log_likelihood = log_prob_per_example(likelihood, x)
    check_per_example(x, log_likelihood=log_likelihood)
    return log_likelihood


def draw_prior(draw: Draw, key: Key) -> Value:
    """Sample the prior once for each example, whether it has a batch axis or is the same for all."""
    num = jnp.shape(jax.tree.leaves(draw.z)[0])[0]
    one = jax.eval_shape(draw.prior.sample, jax.random.key(0))
    if jax.tree.leaves(one)[0].ndim == jnp.ndim(jax.tree.leaves(draw.z)[0]):
        return draw.prior.sample(key)
    return jax.vmap(draw.prior.sample)(key if key.ndim else rng.sample_keys(key, num))


def stream(key: Key, name: str) -> Key:
    """Return the key or the `[B]` keys of a named stream, for noise besides that of z."""
    return jax.vmap(lambda one: rng.stream(one, name))(key) if key.ndim else rng.stream(key, name)


def divergence(draw: Draw, beta: Array | float = 1.0) -> Array:
    """Return `[B, D]` KL(q(z|x) || p(z)) in nats, exact or from the draw; without gradient where beta is 0."""
    posterior, prior, z, log_q, kl = without_gradient_at_zero(beta, draw)
    return kl_per_dimension(posterior, prior, z, log_q=log_q) if kl is None else kl


def weigh(
    params: Params, draw: Draw, x: Any, *, model: Model, condition: Any = None, beta: Array | float = 1.0
) -> tuple[Array, Array]:
    r"""Return `[B]` log p(x|z) and `[B]` log q(z|x) - log p(z) of a draw, whose difference is its log-weight.

        log w = log p(x|z) - log q(z|x) + log p(z)

    Where beta is 0 the second has no gradient.
    """
    log_likelihood = decode(params, draw.z, x, model=model, condition=condition)
    posterior, prior, z, log_q, _ = without_gradient_at_zero(beta, draw)
    return log_likelihood, log_ratio(posterior, prior, z, log_q)
