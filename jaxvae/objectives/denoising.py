"""Denoising: the encoder sees a spoilt example, and the clean one is what has to be reconstructed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jaxvae import rng
from jaxvae.model import Functions
from jaxvae.types import Array, Distribution, Key, Model, Params

Corruption = Callable[[Key, Array, float], Array]
Objective = Callable[..., tuple[Array, Any]]


def noise(key: Key, x: Array, level: float) -> Array:
    """Add normal noise with standard deviation `level`."""
    return x + level * jax.random.normal(key, x.shape, x.dtype)


def masking(key: Key, x: Array, level: float) -> Array:
    """Set each value to 0 with probability `level`."""
    return jnp.where(jax.random.bernoulli(key, level, x.shape), 0, x)


def salt_and_pepper(key: Key, x: Array, level: float) -> Array:
    """Set each value, with probability `level`, to 0 or 1 by the toss of a fair coin."""
    uniform = jax.random.uniform(key, x.shape)
    return jnp.where(uniform < level, (uniform < level / 2).astype(x.dtype), x)


CORRUPTIONS: dict[str, Corruption] = {"noise": noise, "masking": masking, "salt_and_pepper": salt_and_pepper}
"""Reference: Vincent et al. 2010, https://jmlr.org/papers/v11/vincent10a.html, section 3.3."""


def denoising(objective: Objective, corruption: Corruption, level: float) -> Objective:
    r"""An objective that is given the same examples, while its encoder is given spoilt ones.

        log p(x | z),  z ~ q(z | x~),  x~ ~ corruption(x)

    Args:
        objective: `(params, key, x, *, model, ...) -> (loss, aux)`, such as `elbo_loss`.
        corruption: `(key, x, level) -> x~`, such as a row of `CORRUPTIONS`.
        level: how much is spoilt.

    Returns:
        An objective with the same arguments.

    Reference: Vincent et al. 2010, equation 8 (autoencoder); Im et al. 2017, https://arxiv.org/abs/1511.06406 (VAE).
    """

    def denoising_loss(params: Params, key: Key, x: Array, *, model: Model, **options: Any) -> tuple[Array, Any]:
        rng.check_key(key)

        def corrupt(key: Key, x: Array) -> Array:
            return corruption(rng.stream(key, "corruption"), x, level)

        spoilt = jax.vmap(corrupt)(key, x) if key.ndim else corrupt(key, x)

        def encode(params: Params, _: Array, *given: Array) -> Distribution:
            return model.encode(params, spoilt, *given)

        return objective(params, key, x, model=Functions(encode, model.decode, model.prior), **options)

    return denoising_loss
