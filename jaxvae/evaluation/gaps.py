"""Gaps of examples, filled by a model before they are scored."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from jaxvae import rng
from jaxvae.distributions.sampling import sample_and_log_prob
from jaxvae.objectives import draws
from jaxvae.objectives.checks import check_arguments
from jaxvae.types import Array, Key, Model, Params


def fill_gaps(
    params: Params, key: Key, x: dict[str, Array], *, model: Model, condition: Any = None, steps: int = 10
) -> dict[str, Array]:
    """Replace missing values by those that a model draws, in steps of a Markov chain.

        z ~ q(z | x_o, x_m),    x_m ~ p(x_m | z)

    It begins at zeros. Were q the true posterior, this would be Gibbs sampling of p(x_m | x_o). The mask stays, so that
    a likelihood scores what is observed alone, while the encoder sees no zeros that are none.

    Args:
        params: the model's parameters.
        key: one key, or `[B]` keys, one per example.
        x: `{"x": [B, ...], "observed": [B, ...]}`.
        model: anything with `encode(params, x)` and `decode(params, z)`, whose samples are arrays of values.
        condition: `[B, ...]` passed to the model's functions, if given.
        steps: number of steps; 0 changes nothing.

    Returns:
        Examples with other values where they are missing.

    Reference: Rezende, Mohamed & Wierstra 2014, https://arxiv.org/abs/1401.4082, appendix F; Xu et al. 2018 (DONUT),
    https://arxiv.org/abs/1802.03903, section 3.3.
    """
    check_arguments(key, x, condition)
    given = () if condition is None else (condition,)

    def at_step(key: Key, number: Array) -> Key:
        return rng.stream(key, "fill", number)

    def step(values: Array, number: Array) -> tuple[Array, None]:
        own = jax.vmap(lambda one: at_step(one, number))(key) if key.ndim else at_step(key, number)
        posterior = model.encode(params, {**x, "x": values}, *given)
        z, _ = sample_and_log_prob(posterior, draws.stream(own, "z"))
        drawn = model.decode(params, z, *given).sample(draws.stream(own, "x"))
        return jnp.where(x["observed"], x["x"], drawn), None

    values, _ = jax.lax.scan(step, jnp.where(x["observed"], x["x"], 0), jnp.arange(steps))
    return {**x, "x": values}
