"""Random variations of one example: codes near its own."""

from __future__ import annotations

import jax
import numpy as np

from jaxvae import rng
from jaxvae.arguments import check_number, whole_number
from jaxvae.distributions.base import at_least_float32, broadcast_floats
from jaxvae.distributions.sampling import point
from jaxvae.types import Array, Distribution, Key


def vary(key: Key, z: Array, num: int, scale: float | Array | np.ndarray = 1.0) -> Array:
    """Sample codes z + scale * eps with eps ~ N(0, I).

    Args:
        key: one key; variation k is the same for every `num`.
        z: `[..., D]` code or codes.
        num: number of variations.
        scale: standard deviation of the noise, one or `[D]`.

    Returns:
        `[num, ..., D]`.

    Raises:
        InputError: `num` is below 1.

    >>> import jax, jax.numpy as jnp
    >>> print(vary(jax.random.key(0), jnp.array([1.0, 2.0]), 2, scale=0.0))
    [[1. 2.]
     [1. 2.]]
    """
    check_number("scale", scale)
    z = at_least_float32(z)
    noise = jax.vmap(lambda key: jax.random.normal(key, z.shape, z.dtype))(_keys(key, num))
    z, scale, noise = broadcast_floats(z, scale, noise)
    return z + scale * noise


def vary_posterior(key: Key, posterior: Distribution, num: int, widen: float = 1.0) -> Array:
    """Sample q(z|x) with the distance from its mean multiplied: mean + widen * (sample - mean).

    At `widen=1` the encoder cannot distinguish the variations; above 1 they are less and less similar. They follow the
    posterior's scales: a dimension that the decoder ignores varies as the prior does, an important one only slightly.

    Args:
        key: one key; the noise of variation k is the same for every `num` and `widen`.
        posterior: any distribution over `[..., D]`; a delta has no width to widen (use `vary`).
        num: number of variations.
        widen: 1 draws from the posterior itself, 0 repeats its mean.

    Returns:
        `[num, ..., D]`.

    Raises:
        InputError: `num` is below 1.

    >>> import jax, jax.numpy as jnp
    >>> from jaxvae.distributions import Normal
    >>> posterior = Normal(jnp.ones(2), jnp.zeros(2))
    >>> print(vary_posterior(jax.random.key(0), posterior, 1, widen=0.0))
    [[1. 1.]]
    """
    check_number("widen", widen)
    samples = jax.vmap(posterior.sample)(_keys(key, num))
    mean, factor, samples = broadcast_floats(point(posterior), widen, samples)
    return mean + factor * (samples - mean)


def _keys(key: Key, num: int) -> Key:
    return rng.sample_keys(rng.stream(key, "vary"), whole_number("num", num))
