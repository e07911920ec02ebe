"""Environments: what is seen and acted in, as pure functions of a state; CartPole as frames."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar, Protocol

import jax.numpy as jnp

from jaxvae.control import cartpole, frames
from jaxvae.types import Array, Key


class Environment(Protocol):
    """Interface of environments, which are values that can be hashed; a state is any pytree of arrays."""

    @property
    def num_actions(self) -> int:
        """Number of actions."""
        ...

    @property
    def quantities(self) -> tuple[str, ...]:
        """Names of the numbers of a state."""
        ...

    def begin(self, key: Key) -> Any:
        """Draw a first state."""
        ...

    def step(self, key: Key, state: Any, action: Array) -> Any:
        """Return the state after an action; the key is for environments with noise."""
        ...

    def over(self, state: Any) -> Array:
        """Return True where the episode has ended, for any leading axes of the state."""
        ...

    def reward(self, state: Any) -> Array:
        """Return the reward of the step that led to the state, for any leading axes of it."""
        ...

    def frame(self, state: Any) -> Array:
        """Return the frame `[H, W, C]` of a state, in [0, 1]."""
        ...

    def numbers(self, state: Any) -> Array:
        """Return the numbers `[Q]` of a state."""
        ...


@dataclasses.dataclass(frozen=True)
class CartPole:
    """A pole on a cart, drawn in grey; each step is worth 1."""

    num_actions: ClassVar[int] = 2
    quantities: ClassVar[tuple[str, ...]] = cartpole.QUANTITIES

    def begin(self, key: Key) -> Array:
        """Draw a first state `[4]`."""
        return cartpole.begin(key)

    def step(self, key: Key, state: Array, action: Array) -> Array:
        """Push the cart."""
        del key
        return cartpole.step(state, action)

    def over(self, state: Array) -> Array:
        """Return True where the pole has fallen or the cart has left the track."""
        return cartpole.failed(state)

    def reward(self, state: Array) -> Array:
        """Return 1."""
        return jnp.ones(state.shape[:-1])

    def frame(self, state: Array) -> Array:
        """Draw cart and pole, without velocities."""
        return frames.draw(state)

    def numbers(self, state: Array) -> Array:
        """Return position, velocity, angle and angular velocity."""
        return state
