"""Likelihood regret: the gain of a posterior that is fitted to one example over that of the encoder."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import optax

from jaxvae import rng
from jaxvae.distributions import Normal
from jaxvae.distributions.kl import kl_per_dimension
from jaxvae.errors import InputError
from jaxvae.objectives import draws
from jaxvae.objectives.checks import check_arguments
from jaxvae.types import Array, Key, Model, Params


def has_regret(posterior: Any) -> bool:
    """Return True for a diagonal normal over vectors, which is fitted by its means and log-variances."""
    return isinstance(posterior, Normal) and len(posterior.mean.shape) == 2


def likelihood_regret(
    params: Params,
    key: Key,
    x: Any,
    *,
    model: Model,
    condition: Any = None,
    steps: int = 30,
    learning_rate: float = 0.1,
    num_samples: int = 4,
) -> Array:
    r"""Return the rise of each example's ELBO when its posterior alone is fitted by some steps of Adam.

        regret = max_t ELBO(x; N(mean_t, var_t)) - ELBO(x; q(z|x))

    An encoder fits examples like those of the training, so that little is gained; an example of another kind has a far
    better posterior than the encoder's, also where its likelihood is high because it is simple. The noise of z is the
    same at all steps, so that the difference is not noise, and no example depends on others.

    Args:
        params: the model's parameters, which stay as they are.
        key: one key, or `[B]` keys, one per example.
        x: `[B, ...]` examples, an array or a tree of arrays.
        model: model whose posterior is a diagonal normal.
        condition: `[B, ...]` passed to the model's functions, if given.
        steps: number of steps.
        learning_rate: learning rate of Adam, in units of z.
        num_samples: number of samples of z per example.

    Returns:
        `[B]` nats, 0 or more.

    Raises:
        InputError: the posterior is another.

    Reference: Xiao, Yan & Amit 2020, https://arxiv.org/abs/2003.02977, equation 5 and section 4 (the variant that
    optimizes the means and variances).
    """
    check_arguments(key, x, condition, num_samples)
    posterior: Any
    posterior, prior = draws.encode(params, key, x, model=model, condition=condition)
    if not has_regret(posterior):
        raise InputError(f"model: regret fits a diagonal normal, its posterior is a {type(posterior).__name__}")
    unit = Normal(jnp.zeros_like(posterior.mean), jnp.zeros_like(posterior.mean))
    noise = jax.vmap(unit.sample)(rng.sample_keys(key, num_samples))

    def bound(fitted: tuple[Array, Array]) -> Array:
        mean, log_var = fitted

        def elbo(noise: Array) -> Array:
            z = mean + jnp.exp(0.5 * log_var) * noise
            kl = kl_per_dimension(Normal(mean, log_var), prior, z).sum(-1)
            return draws.decode(params, z, x, model=model, condition=condition) - kl

        return jax.vmap(elbo)(noise).mean(0)

    def total(fitted: tuple[Array, Array]) -> tuple[Array, Array]:
        each = bound(fitted)
        return each.sum(), each

    optimizer = optax.adam(-learning_rate)  # uphill

    def step(carry: Any, _: None) -> tuple[Any, Array]:
        fitted, state = carry
        gradient, each = jax.grad(total, has_aux=True)(fitted)
        updates, state = optimizer.update(gradient, state, fitted)
        return (optax.apply_updates(fitted, updates), state), each

    start = jnp.asarray(posterior.mean), jnp.broadcast_to(posterior.log_var, posterior.mean.shape)
    (fitted, _), path = jax.lax.scan(step, (start, optimizer.init(start)), None, length=steps)
    return jnp.maximum(path.max(0), bound(fitted)) - path[0]
