"""Values of the layers of a feature network, and the parameters that they need."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, ClassVar, Protocol

import jax
import jax.numpy as jnp

from jaxvae.errors import InputError
from jaxvae.types import Array


class FeatureNetwork(Protocol):
    """Interface of feature networks: pure functions of parameters by name and of images."""

    kind: ClassVar[str]
    defaults: ClassVar[tuple[str, ...]]

    def run(self, params: Mapping[str, Array], images: Array) -> Iterator[tuple[str, Array]]:
        """Yield the values of the layers in their order, each with its name."""
        ...

    def shapes(self, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        """Return the shapes of all parameters by name, for images `[H, W, C]`."""
        ...


def layers(
    network: FeatureNetwork, params: Mapping[str, Array], images: Array, wanted: Collection[str] = ()
) -> dict[str, Array]:
    """Return the values of the layers by name, as far as the last of those that are wanted, or all.

    Args:
        network: the network.
        params: its parameters, at least those that the wanted layers need.
        images: `[B, H, W, C]` in [0, 1].
        wanted: names of layers.

    Raises:
        InputError: the network has no layer of this name.
    """
    found: dict[str, Array] = {}
    for name, values in network.run(params, images):
        found[name] = values
        if wanted and found.keys() >= {*wanted}:
            break
    if unknown := [name for name in wanted if name not in found]:
        raise InputError(f"layers: {network.kind} has no {unknown[0]!r}; it has {', '.join(found)}")
    return found


def needed(network: FeatureNetwork, shape: tuple[int, ...], wanted: Collection[str]) -> dict[str, Any]:
    """Return the shapes `[...]` of the parameters that some layers need for images `[H, W, C]`, by name."""
    sizes, used = network.shapes(shape), set[str]()

    def run(params: dict[str, Array], images: Array) -> Any:
        return layers(network, _Recording(params, used), images, wanted)

    like = {name: jax.ShapeDtypeStruct(size, jnp.float32) for name, size in sizes.items()}
    jax.eval_shape(run, like, jnp.zeros((1, *shape)))
    return {name: size for name, size in sizes.items() if name in used}


class _Recording(dict[str, Array]):
    """Parameters that note the names of those that are used."""

    def __init__(self, values: Mapping[str, Array], used: set[str]) -> None:
        super().__init__(values)
        self._used = used

    def __getitem__(self, name: str) -> Array:
        self._used.add(name)
        return super().__getitem__(name)
