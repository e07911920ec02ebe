"""Random keys, derived by name, step and example, never passed from one use to the next.

    root --name--> stream --step--> stream at that step --example id--> the example's own noise

The noise of an example therefore depends neither on its batch, nor on the number of devices, nor on earlier
computations; and a run resumes from its root key and its step alone.
"""

from __future__ import annotations

import hashlib

import jax
import jax.numpy as jnp

from jaxvae.arguments import whole_number
from jaxvae.types import Array, Key


def check_key(key: Key) -> None:
    """Refuse an array that is no typed key: a raw key, two numbers, looks the same as two keys."""
    dtype = getattr(key, "dtype", None)
    if dtype is None or not jnp.issubdtype(dtype, jax.dtypes.prng_key):
        came = type(key).__name__ if dtype is None else f"{dtype} {jnp.shape(key)}"
        raise TypeError(f"key: a typed key is wanted, got {came}; make one with jax.random.key(seed)")


def root(seed: int) -> Key:
    """Return the root key of a run."""
    return jax.random.key(seed)


def stream(key: Key, name: str, step: int | Array | None = None) -> Key:
    """Return the key of a named stream of random numbers, at a step if one is given.

    A new stream does not change the numbers of the others, because the name is hashed into the key.
    """
    check_key(key)
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")
    key = jax.random.fold_in(key, jnp.uint32(number))
    return key if step is None else jax.random.fold_in(key, step)


def example_keys(key: Key, ids: Array) -> Key:
    """Return one key per example, `[B]`, from the examples' indices in the whole set."""
    check_key(key)
    return jax.vmap(jax.random.fold_in, in_axes=(None, 0))(key, ids)


def sample_keys(key: Key, num_samples: int) -> Key:
    """Return `[K, ...]` keys for K samples, from one key or from `[B]` keys. Key k is the same for every K."""
    check_key(key)
    num_samples = whole_number("num_samples", num_samples)

    def fold_in(number: Array) -> Key:
        folded = jax.vmap(jax.random.fold_in, in_axes=(0, None))(key.reshape(-1), number)
        return folded.reshape(key.shape)

    return jax.vmap(fold_in)(jnp.arange(num_samples))
