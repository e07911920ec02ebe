"""Weights of the decoder in the page, in half precision where that changes nothing one sees."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxvae.evaluation.blocks import example_blocks
from jaxvae.model import VAE
from jaxvae.types import Array, Distribution, Params

BIAS = "bias"
"""Name of the weights that are few, and stay as they are."""
BLOCK = 100
"""Number of codes that are decoded at a time."""


def weight_dtype(
    model: VAE,
    params: Params,
    codes: np.ndarray,
    looks_equal: Callable[[Distribution, Distribution], Array],
    conditions: np.ndarray | None = None,
) -> type[np.floating]:
    """Choose half precision, which halves the page, if all that is decoded from these codes looks equal with it."""

    @jax.jit
    def changes_nothing(params: Params, z: Array, condition: Array | None) -> Array:
        of_decoder = {name: own for name, own in params.items() if name in ("decoder", "likelihood")}
        half = {**params, **jax.tree_util.tree_map_with_path(_through_half, of_decoder)}
        return looks_equal(*(model.decode(each, z, condition) for each in (params, half)))

    # The first block with a difference ends the search.
    blocks = example_blocks(len(codes), BLOCK)
    pairs = ((codes[ids], None if conditions is None else conditions[ids]) for ids in blocks)
    return np.float16 if all(changes_nothing(params, *pair) for pair in pairs) else np.float32


def _through_half(path: Any, weights: Array) -> Array:
    return weights if getattr(path[-1], "key", None) == BIAS else weights.astype(jnp.float16).astype(weights.dtype)


def layer_as_json(layer: Any, dtype: type[np.floating]) -> dict[str, Any]:
    """Return a layer's kind and fields, its weights besides biases in this dtype; layers may hold layers."""

    def field(name: str, value: Any) -> Any:
        if isinstance(value, list):
            return [field(name, each) for each in value]
        if hasattr(value, "_asdict"):
            return layer_as_json(value, dtype)
        return value.astype(dtype) if isinstance(value, np.ndarray) and name != BIAS else value

    return {"kind": type(layer).__name__, **{name: field(name, value) for name, value in layer._asdict().items()}}
