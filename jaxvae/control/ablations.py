"""Ablations: the worlds in which C learns and is tested, with less and less of V and M."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxvae import rng
from jaxvae.control.dream import Dream
from jaxvae.control.environments import Environment
from jaxvae.control.memory import init_memory
from jaxvae.control.views import Coded, CodedWithMemory, Projected, TrueState, View
from jaxvae.control.vision import Vision
from jaxvae.control.worlds import Viewed, World
from jaxvae.nets.bound import Bound
from jaxvae.types import Array, Key


class Learned(NamedTuple):
    """V and M of an environment, and where the dreams of M begin."""

    environment: Environment
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
    def world(self) -> Viewed:
        """World in which C sees z and h."""
        return Viewed(self.environment, CodedWithMemory(self.vision, self.memory))


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
    both, network, environment = learned.num_features, learned.memory.network, learned.environment
    untrained = Bound(init_memory(rng.stream(key, "untrained"), network), network)  # type: ignore[arg-type]
    frame = jax.eval_shape(lambda key: environment.frame(environment.begin(key)), key)
    projection = jax.random.normal(rng.stream(key, "projection"), (frame.size, both)) / math.sqrt(frame.size)
    views: dict[str, tuple[View, int]] = {
        "state": (TrueState(), len(environment.quantities)),
        "pixels": (Projected(projection), both),
        "z": (Coded(learned.vision), network.latent_dim),
        "z, h of an untrained M": (CodedWithMemory(learned.vision, untrained), both),
        "z, h": (learned.world.view, both),
    }
    worlds = {name: (Viewed(environment, view), num_features) for name, (view, num_features) in views.items()}
    rows = {name: Row(world, num_features, world) for name, (world, num_features) in worlds.items()}
    for temperature in temperatures:
        dream = Dream(learned.memory, learned.starts, jnp.asarray(temperature, jnp.float32))
        rows[f"dream, temperature {temperature:g}"] = Row(dream, both, learned.world)
    return rows
