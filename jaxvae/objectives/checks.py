"""Checks of a bound's arguments: shapes, types and concrete values; a traced function pays nothing."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from jaxvae import rng
from jaxvae.arguments import check_number, whole_number
from jaxvae.distributions.flags import has_density, is_relaxed
from jaxvae.errors import InputError
from jaxvae.types import Array, Distribution, Key


def check_arguments(
    key: Key,
    x: Any,
    condition: Any,
    num_samples: int = 1,
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
    rows = _check_examples(x)
    for name, array in (*_named("condition", condition), *([("key", key)] if key.ndim else [])):
        if jnp.shape(array)[:1] != rows:
            raise ValueError(f"{name} {jnp.shape(array)} must have one row per example, as x has {_shapes(x)}")
    whole_number("num_samples", num_samples)
    if weights is not None:
        check_weights(weights, rows)
    if jnp.shape(beta) not in ((), rows):
        raise ValueError(f"beta {jnp.shape(beta)} must be one number, or one per example, as x has {rows}")
    check_number("beta", beta)


def _check_examples(x: Any) -> tuple[int, ...]:
    """Refuse x that is no array, or tree of arrays, of examples; return `(B,)`."""
    named = _named("x", x)
    if not named:
        raise InputError("x: an array or a dict of arrays is wanted, got none")
    for name, array in named:
        dtype = getattr(array, "dtype", None)
        if dtype is None or not any(jnp.issubdtype(dtype, kind) for kind in (jnp.floating, jnp.integer, jnp.bool_)):
            came = dtype or type(array).__name__
            raise TypeError(f"{name}: real numbers [B, ...] are wanted, got {came}; give a float32 array")
        if not array.ndim:
            raise ValueError(f"{name}: a batch [B, ...] is wanted, got one number; give x[None]")
        if array.shape[0] == 0:
            raise InputError(f"{name}: a batch of at least one example is wanted, got shape {array.shape}")
    rows = batch_shape(x)
    for name, array in named:
        if array.shape[:1] != rows:
            raise ValueError(f"{name} {array.shape} must have one row per example, as {named[0][0]} has {rows}")
    return rows


def _named(name: str, tree: Any) -> list[tuple[str, Any]]:
    """Return a tree's leaves with their names, such as `x['mask']`; a list is one leaf, and wrong."""
    leaves = jax.tree_util.tree_leaves_with_path(tree, is_leaf=lambda leaf: isinstance(leaf, list))
    return [(name + jax.tree_util.keystr(path), leaf) for path, leaf in leaves]


def batch_shape(x: Any) -> tuple[int, ...]:
    """Return `(B,)`, the examples of an array or of a tree of arrays."""
    return jnp.shape(jax.tree.leaves(x)[0])[:1]


def _shapes(x: Any) -> Any:
    return jax.tree.map(jnp.shape, x)


def check_weights(weights: Array, shape: tuple[int, ...]) -> None:
    """Refuse weights that are not one number per example; and negative or infinite ones, where they are concrete."""
    if jnp.shape(weights) != shape:
        raise ValueError(f"weights {jnp.shape(weights)} must have one number per example, as x has {shape}")
    check_number("weights", weights)


def check_distributions(**functions: Distribution) -> None:
    """Refuse a model's function, by name, where its result is no distribution."""
    for name, returned in functions.items():
        scores = any(callable(getattr(returned, method, None)) for method in ("log_prob", "sample_and_log_prob"))
        if not (scores and callable(getattr(returned, "sample", None))):
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


def check_density(posterior: Distribution) -> None:
    """Refuse a posterior whose samples have no importance weights."""
    name = type(posterior).__name__
    if not has_density(posterior):
        raise InputError(f"model: its posterior is a {name}, without a density to weigh samples by; use normal")
    if is_relaxed(posterior):
        raise InputError(f"model: its posterior, {name}, is relaxed, and its samples have no weights; use normal")


def check_scores(posterior: Distribution, wanted_by: str, remedy: str) -> None:
    """Refuse a posterior that knows only the density of its own samples, where that of a given value is needed."""
    if not callable(getattr(posterior, "log_prob", None)):
        raise InputError(
            f"{wanted_by}: needs the density of any value, and {type(posterior).__name__} has only that of its own "
            f"samples; use {remedy}"
        )


def check_per_example(x: Any, **terms: Array) -> None:
    """Refuse terms that are not one number per example."""
    rows = batch_shape(x)
    for name, term in terms.items():
        if term.shape != rows:
            raise ValueError(
                f"{name} has shape {term.shape} for x of shape {_shapes(x)}: encode and decode must return "
                f"distributions whose log_prob is one number per example, {rows}"
            )
