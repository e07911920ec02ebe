"""Networks between stochastic layers: from the value of one layer to the distribution of the next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import jax.numpy as jnp
from flax import linen as nn

from jaxvae import rng
from jaxvae.distributions.base import Support, distribution
from jaxvae.distributions.normal import Normal
from jaxvae.nets.bound import Bound
from jaxvae.types import Array, Key, Params


@distribution
class Link:
    """Network from a value `[..., D]`, and a condition if there is one, to the diagonal normal of the next value."""

    support: ClassVar[Support] = "real"
    network: Bound
    condition: Array | None = None
    """`[B, ...]` for values `[..., B, D]`."""

    def __call__(self, value: Array) -> Normal:
        """Return the normal whose means and log-variances are the two halves of the network's output."""
        rows = value.reshape(-1, value.shape[-1])
        outputs = self.network(rows, *self._given(value)).reshape(*value.shape[:-1], -1)
        mean, log_var = jnp.split(outputs, 2, axis=-1)
        return Normal(mean, log_var)

    def _given(self, value: Array) -> tuple[Array, ...]:
        if self.condition is None:
            return ()
        event = self.condition.shape[1:]
        return (jnp.broadcast_to(self.condition, (*value.shape[:-1], *event)).reshape(-1, *event),)


def links(params: Sequence[Params], networks: Sequence[nn.Module], condition: Array | None = None) -> tuple[Link, ...]:
    """Return one link for each network."""
    return tuple(Link(Bound(own, network), condition) for own, network in zip(params, networks))


def init_links(key: Key, value: Array, networks: Sequence[nn.Module], condition: Array | None = None) -> list[Params]:
    """Initialise the parameters of the networks, the first of which takes a value `[B, D]`."""
    params: list[Params] = []
    given: tuple[Any, ...] = () if condition is None else (condition,)
    for number, network in enumerate(networks):
        params.append(network.init(rng.stream(key, f"init link {number}"), value, *given)["params"])
        value = Link(Bound(params[-1], network), condition)(value).mean
    return params
