"""Checks of a bound's arguments: shapes, types and concrete values; a traced function pays nothing."""

from __future__ import annotations

import jax.numpy as jnp

from jaxvae import rng
from jaxvae.arguments import check_number, whole_number
from jaxvae.types import Array, Distribution, InputError, Key


def check_arguments(
    key: Key,
    x: Array,
    condition: Array | None,
    num_samples: int,
    weights: Array | None = None,
    beta: Array | float = 1.0,
) -> None:
    """Refuse arguments that are invalid for every model.

    Raises:
        TypeError: `key` is no typed key, `x` holds no real numbers, or `num_samples` is no whole number.
        ValueError: there are no examples or no samples; keys, conditions or weights are not one per example; or
            weights or beta are negative or not finite, where they are concrete.
    """
    rng.check_key(key)
    dtype = getattr(x, "dtype", None)
    if dtype is None or not any(jnp.issubdtype(dtype, kind) for kind in (jnp.floating, jnp.integer, jnp.bool_)):
        raise TypeError(f"x: real numbers [B, ...] are wanted, got {dtype or type(x).__name__}; give a float32 array")
    if not x.ndim:
        raise ValueError("x: a batch [B, ...] is wanted, got one number; give x[None]")
    if x.shape[0] == 0:
        raise InputError(f"x: a batch of at least one example is wanted, got shape {x.shape}")
    for name, array in {"key": key if key.ndim else None, "condition": condition}.items():
        if array is not None and jnp.shape(array)[:1] != x.shape[:1]:
            raise ValueError(f"{name} {jnp.shape(array)} must have one row per example, as x has {x.shape}")
    whole_number("num_samples", num_samples)
    if weights is not None:
        check_weights(weights, x.shape[:1])
    if jnp.shape(beta) not in ((), x.shape[:1]):
        raise ValueError(f"beta {jnp.shape(beta)} must be one number, or one per example, as x has {x.shape[:1]}")
    check_number("beta", beta)


def check_weights(weights: Array, shape: tuple[int, ...]) -> None:
    """Refuse weights that are not one number per example; and negative or infinite ones, where they are concrete."""
    if jnp.shape(weights) != shape:
        raise ValueError(f"weights {jnp.shape(weights)} must have one number per example, as x has {shape}")
    check_number("weights", weights)


def check_distributions(**functions: Distribution) -> None:
    """Refuse a model's function, by name, where its result is no distribution."""
    for name, returned in functions.items():
        if not all(callable(getattr(returned, method, None)) for method in ("sample", "log_prob")):
            raise TypeError(
                f"{name}: must return a distribution, which has sample and log_prob, got {type(returned).__name__}; "
                "wrap its arrays, as in Normal(mean, log_var)"
            )


def check_key(key: Key, posterior: Distribution) -> None:
    """Refuse one key per example where the posterior cannot sample with them."""
    # event_ndim marks jaxvae's distributions, as in log_prob_per_example.
    if key.ndim and not hasattr(posterior, "event_ndim"):
        raise ValueError(
            f"key: {key.shape} keys came, but {type(posterior).__name__} is another library's distribution, which "
            "draws a whole batch from one key: give one key"
        )


def check_per_example(x: Array, **terms: Array) -> None:
    """Refuse terms that are not one number per example."""
    for name, term in terms.items():
        if term.shape != x.shape[:1]:
            raise ValueError(
                f"{name} has shape {term.shape} for x of shape {x.shape}: encode and decode must return distributions "
                f"whose log_prob is one number per example, {x.shape[:1]}"
            )
