"""Worlds in which a controller acts: CartPole itself, as a view shows it; a dream is another."""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple, Protocol

import jax

from jaxvae.control import cartpole
from jaxvae.control.views import View
from jaxvae.types import Array, Key


class World(Protocol):
    """Interface of worlds, which are pytrees; a state is any pytree of arrays."""

    def begin(self, key: Key) -> Any:
        """Draw a first state."""
        ...

    def step(self, key: Key, state: Any, action: Array) -> Any:
        """Return the state after an action; the key is for worlds with noise."""
        ...

    def over(self, state: Any) -> Array:
        """Return True where the episode has ended, for any leading axes of the state."""
        ...

    def features(self, state: Any) -> Array:
        """Return `[F]` numbers for a controller."""
        ...


class Situation(NamedTuple):
    """State of CartPole, and what a view has seen of it."""

    state: Array
    seen: Any


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class CartPole:
    """CartPole, seen by a view."""

    view: View

    def begin(self, key: Key) -> Situation:
        """Draw a first state, and look at it."""
        state = cartpole.begin(key)
        return Situation(state, self.view.begin(state))

    def step(self, key: Key, state: Situation, action: Array) -> Situation:
        """Push the cart, and look at it again."""
        del key
        after = cartpole.step(state.state, action)
        return Situation(after, self.view.look(state.seen, action, after))

    def over(self, state: Situation) -> Array:
        """Return True where the pole has fallen or the cart has left the track."""
        return cartpole.failed(state.state)

    def features(self, state: Situation) -> Array:
        """Return what the view shows."""
        return self.view.features(state.seen)
