"""Several processes as one: who writes, how they wait for each other, and arrays that all of them hold."""

from __future__ import annotations

from typing import TypeVar

import jax
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import Sharding

from jaxvae.types import Array

T = TypeVar("T")


def is_main() -> bool:
    """Whether this process is the one that writes what a run leaves behind."""
    return jax.process_index() == 0


def wait_for_all(name: str) -> None:
    """Return when every process has come to the place of this name."""
    if jax.process_count() > 1:
        multihost_utils.sync_global_devices(name)


def any_process(flag: bool) -> bool:
    """Whether the flag is up in any process; every process must ask at the same moment."""
    if jax.process_count() == 1:
        return flag
    return bool(np.any(multihost_utils.process_allgather(np.array(flag))))


def place(tree: T, sharding: Sharding) -> T:
    """Put arrays, keys among them, where a sharding says; each process gives the part that is its own."""

    def place_leaf(leaf: Array | np.ndarray) -> Array:
        if jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key):
            data = place_leaf(jax.random.key_data(leaf))
            return jax.random.wrap_key_data(data, impl=jax.random.key_impl(leaf))
        return jax.make_array_from_process_local_data(sharding, np.asarray(leaf))

    return jax.tree.map(place_leaf, tree) if jax.process_count() > 1 else jax.device_put(tree, sharding)


def local(tree: T) -> T:
    """One copy, on a device of this process, of arrays that several devices hold whole."""
    return jax.tree.map(lambda leaf: leaf.addressable_data(0), tree)
