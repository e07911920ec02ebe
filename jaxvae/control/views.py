"""Views of a world: what a controller sees of its frames, alone or with a memory of them.

A view is a pytree, so that one program serves the networks of every seed.
"""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp

from jaxvae.control.environments import Environment
from jaxvae.control.vision import Vision
from jaxvae.nets.bound import Bound
from jaxvae.nets.recurrence import State
from jaxvae.types import Array


class View(Protocol):
    """Interface of views; what is seen is any pytree."""

    def begin(self, environment: Environment, state: Any) -> Any:
        """Return what is seen of a first state."""
        ...

    def look(self, environment: Environment, seen: Any, action: Array, state: Any) -> Any:
        """Return what is seen after an action that led to a state."""
        ...

    def features(self, seen: Any) -> Array:
        """Return `[F]` numbers for a controller."""
        ...


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class TrueState:
    """The numbers of the state, of which frames show some and not others: an upper bound."""

    def begin(self, environment: Environment, state: Any) -> Array:
        """Return the state's numbers."""
        return environment.numbers(state)

    def look(self, environment: Environment, seen: Array, action: Array, state: Any) -> Array:
        """Return the state's numbers."""
        del seen, action
        return environment.numbers(state)

    def features(self, seen: Array) -> Array:
        """Return the numbers."""
        return seen


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class Projected:
    """The frame alone, by a fixed projection `[H * W * C, F]` of its pixels."""

    projection: Array

    def begin(self, environment: Environment, state: Any) -> Array:
        """Return the projection of the state's frame."""
        return environment.frame(state).ravel() @ self.projection

    def look(self, environment: Environment, seen: Array, action: Array, state: Any) -> Array:
        """Return the projection of the state's frame."""
        del seen, action
        return self.begin(environment, state)

    def features(self, seen: Array) -> Array:
        """Return the projection."""
        return seen


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class Coded:
    """The code z of the frame alone."""

    vision: Vision

    def begin(self, environment: Environment, state: Any) -> Array:
        """Return the code of the state's frame."""
        return self.vision.encode(environment.frame(state))

    def look(self, environment: Environment, seen: Array, action: Array, state: Any) -> Array:
        """Return the code of the state's frame."""
        del seen, action
        return self.begin(environment, state)

    def features(self, seen: Array) -> Array:
        """Return z."""
        return seen


class Remembered(NamedTuple):
    """Code of the present frame, and the memory of those before it and of the actions between."""

    z: Array
    memory: State


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class CodedWithMemory:
    """The code z and the output h of a recurrent network, which has read the codes and actions before."""

    vision: Vision
    memory: Bound
    """Network as `nets.MixtureDensityLSTM`."""

    def begin(self, environment: Environment, state: Any) -> Remembered:
        """Return the first code and an empty memory."""
        return Remembered(self.vision.encode(environment.frame(state)), empty(self.memory))

    def look(self, environment: Environment, seen: Remembered, action: Array, state: Any) -> Remembered:
        """Return the code of the state's frame, and the memory with the code and action before it."""
        return Remembered(self.vision.encode(environment.frame(state)), remember(self.memory, seen, action))

    def features(self, seen: Remembered) -> Array:
        """Return z and h side by side."""
        return features(seen)


def empty(memory: Bound) -> State:
    """Return the memory of nothing."""
    width: int = memory.network.width
    return jnp.zeros(width), jnp.zeros(width)


def remember(memory: Bound, seen: Remembered, action: Array) -> State:
    """Return the memory after a code and an action."""
    state: State = memory(seen.z, action, seen.memory, method="step")
    return state


def features(seen: Remembered) -> Array:
    """Return z and h side by side."""
    return jnp.concatenate([seen.z, seen.memory[0]])
