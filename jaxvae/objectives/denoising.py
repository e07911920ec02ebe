"""Denoising: the encoder sees a corrupted example, and the clean one is reconstructed."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jaxvae import rng
from jaxvae.arguments import check_number
from jaxvae.distributions.base import at_least_float32, cast_like
from jaxvae.objectives.checks import check_arguments
from jaxvae.objectives.overriding import override
from jaxvae.objectives.weights import blank_padding
from jaxvae.types import Array, Distribution, Key, Model, Params

Corruption = Callable[[Key, Any, Array | float], Any]
Objective = Callable[..., tuple[Array, Any]]


def noise(key: Key, x: Array, level: Array | float) -> Array:
    """Add normal noise with standard deviation `level`; integers become float32."""
    check_number("level", level)
    wide = at_least_float32(x)
    level = jnp.asarray(level, wide.dtype)
    return cast_like(wide + level * jax.random.normal(key, wide.shape, wide.dtype), x)


def masking(key: Key, x: Array, level: Array | float) -> Array:
    """Set each value to 0 with probability `level`."""
    check_number("level", level, most=1.0)
    return jnp.where(jax.random.bernoulli(key, level, x.shape), jnp.zeros_like(x), x)


def salt_and_pepper(key: Key, x: Array, level: Array | float) -> Array:
    """Set each value, with probability `level`, to 0 or 1 with equal probability."""
    check_number("level", level, most=1.0)
    uniform = jax.random.uniform(key, x.shape)
    level = jnp.asarray(level, uniform.dtype)
    return jnp.where(uniform < level, (uniform < level / 2).astype(x.dtype), x)


CORRUPTIONS: dict[str, Corruption] = {"noise": noise, "masking": masking, "salt_and_pepper": salt_and_pepper}
"""Corruptions by name. Reference: Vincent et al. 2010, https://jmlr.org/papers/v11/vincent10a.html, section 3.3."""


def denoising(objective: Objective, corruption: Corruption, level: Array | float) -> Objective:
    r"""Wrap an objective so that its encoder gets corrupted examples.

        log p(x | z),  z ~ q(z | x~),  x~ ~ corruption(x)

    Args:
        objective: `(params, key, x, *, model, ...) -> (loss, aux)`, such as `elbo_loss`.
        corruption: `(key, x, level) -> x~`, such as a row of `CORRUPTIONS`.
        level: strength of the corruption, a number or a traced one.

    Returns:
        An objective with the same arguments and the same signature.

    Reference: Vincent et al. 2010, equation 8 (autoencoder); Im et al. 2017, https://arxiv.org/abs/1511.06406 (VAE).
    """

    @functools.wraps(objective)
    def denoising_loss(params: Params, key: Key, x: Any, *, model: Model, **options: Any) -> tuple[Array, Any]:
        weights, condition = options.get("weights"), options.get("condition")
        check_arguments(key, x, condition, options.get("num_samples", 1), weights)
        x, _ = blank_padding(weights, x, condition)

        def corrupt(key: Key, x: Any) -> Any:
            return corruption(rng.stream(key, "corruption"), x, level)

        corrupted = jax.vmap(corrupt)(key, x) if key.ndim else corrupt(key, x)

        def encode(params: Params, _: Any, *given: Array) -> Distribution:
            return model.encode(params, corrupted, *given)

        return objective(params, key, x, model=override(model, encode=encode), **options)

    return denoising_loss
