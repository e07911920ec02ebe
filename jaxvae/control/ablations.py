"""Ablations: the worlds in which C learns and is tested, with less and less of V and M."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxvae import rng
from jaxvae.control.dream import Dream
from jaxvae.control.frames import SIDE
from jaxvae.control.memory import init_memory
from jaxvae.control.views import Coded, CodedWithMemory, Projected, TrueState, View
from jaxvae.control.vision import Vision
from jaxvae.control.worlds import CartPole, World
from jaxvae.nets.bound import Bound
from jaxvae.types import Array, Key


class Learned(NamedTuple):
    """V and M, and where the dreams of M begin."""

    vision: Vision
    memory: Bound
    """`nets.MixtureDensityLSTM` with its parameters."""
    starts: Array
    """`[N, D]` codes of first frames."""

    @property
    def num_features(self) -> int:
        """Number of dimensions of z and h together."""
        network = self.memory.network
        return int(network.latent_dim + network.width)

    @property
    def world(self) -> CartPole:
        """World in which C sees z and h."""
        return CartPole(CodedWithMemory(self.vision, self.memory))


class Row(NamedTuple):
    """Row of a table of ablations."""

    training: World
    """World in which C evolves."""
    num_features: int
    test: World
    """World in which it is tested."""


def ablations(key: Key, learned: Learned, temperatures: Sequence[float]) -> dict[str, Row]:
    """Return the rows by name: views from the true state to z and h, then dreams.

    Args:
        key: one key, for the projection of pixels and the parameters of an untrained M.
        learned: V and M.
        temperatures: temperatures of the dreams.
    """
    both, network = learned.num_features, learned.memory.network
    untrained = Bound(init_memory(rng.stream(key, "untrained"), network), network)  # type: ignore[arg-type]
    projection = jax.random.normal(rng.stream(key, "projection"), (SIDE**2, both)) / SIDE
    rows = {
        "state": _real(TrueState(), 4),
        "pixels": _real(Projected(projection), both),
        "z": _real(Coded(learned.vision), network.latent_dim),
        "z, h of an untrained M": _real(CodedWithMemory(learned.vision, untrained), both),
        "z, h": _real(learned.world.view, both),
    }
    for temperature in temperatures:
        dream = Dream(learned.memory, learned.starts, jnp.asarray(temperature, jnp.float32))
        rows[f"dream, temperature {temperature:g}"] = Row(dream, both, learned.world)
    return rows


def _real(view: View, num_features: int) -> Row:
    world = CartPole(view)
    return Row(world, num_features, world)
