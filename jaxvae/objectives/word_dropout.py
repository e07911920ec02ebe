"""Word dropout: in training the decoder's network does not see every true token that it has to continue."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax

from jaxvae import rng
from jaxvae.arguments import check_number
from jaxvae.errors import InputError
from jaxvae.objectives.checks import check_arguments
from jaxvae.objectives.overriding import override
from jaxvae.types import Array, Distribution, Key, Model, Params, Value

Drop = Callable[[Key, Array, Array | float], Array]
Objective = Callable[..., tuple[Array, Any]]


def word_dropout(objective: Objective, drop: Drop, level: float) -> Objective:
    r"""Wrap an objective so that p(x|z) predicts each true token from tokens of which some are unknown.

        sum_t log p(x_t | x~_1, ..., x~_{t-1}, z),    x~_t unknown with probability `level`, else x_t

    The encoder reads the true row, and every true token is scored. At level 1 the decoder has z and the place in the
    row alone. Noise is keyed by example, and is the same for all samples of z of an example.

    Args:
        objective: `(params, key, x, *, model, ...) -> (loss, aux)`, such as `elbo_loss`.
        drop: `(key, row, level) -> row` with unknown tokens.
        level: share of the tokens that the network does not see.

    Returns:
        An objective with the same arguments and the same signature.

    Raises:
        InputError: from the objective, if the likelihood predicts no tokens from others.

    Reference: Bowman et al. 2016, https://arxiv.org/abs/1511.06349, section 3.1, there with a keep rate of 1 - level.
    """
    check_number("word_dropout", level, most=1.0)

    @functools.wraps(objective)
    def word_dropout_loss(params: Params, key: Key, x: Array, *, model: Model, **options: Any) -> tuple[Array, Any]:
        check_arguments(key, x, options.get("condition"), options.get("num_samples", 1), options.get("weights"))

        def dropped(key: Key, row: Array) -> Array:
            return drop(rng.stream(key, "word dropout"), row, level)

        seen = jax.vmap(dropped)(key, x) if key.ndim else dropped(key, x)

        def decode(params: Params, z: Value, *given: Array) -> Distribution:
            likelihood = model.decode(params, z, *given)
            if not hasattr(likelihood, "seeing"):
                name = type(likelihood).__name__
                raise InputError(f"word_dropout: needs a likelihood of tokens, each given others, got {name}; give 0")
            return likelihood.seeing(seen)

        return objective(params, key, x, model=override(model, decode=decode), **options)

    return word_dropout_loss
