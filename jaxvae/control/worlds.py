"""Worlds in which a controller acts: an environment as a view shows it; a dream is another."""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple, Protocol

import jax

from jaxvae.control.environments import Environment
from jaxvae.control.views import View
from jaxvae.types import Array, Key


class World(Protocol):
    """Interface of worlds, which are pytrees; a state is any pytree of arrays."""

    @property
    def num_actions(self) -> int:
        """Number of actions."""
        ...

    def begin(self, key: Key) -> Any:
        """Draw a first state."""
        ...

    def step(self, key: Key, state: Any, action: Array) -> Any:
        """Return the state after an action; the key is for worlds with noise."""
        ...

    def over(self, state: Any) -> Array:
        """Return True where the episode has ended, for any leading axes of the state."""
        ...

    def reward(self, state: Any) -> Array:
        """Return the reward of the step that led to the state, for any leading axes of it."""
        ...

    def features(self, state: Any) -> Array:
        """Return `[F]` numbers for a controller."""
        ...


class Situation(NamedTuple):
    """State of an environment, and what a view has seen of it."""

    state: Any
    seen: Any


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class Viewed:
    """Environment that is seen by a view."""

    environment: Environment = dataclasses.field(metadata={"static": True})
    view: View

    @property
    def num_actions(self) -> int:
        """Number of actions."""
        return self.environment.num_actions

    def begin(self, key: Key) -> Situation:
        """Draw a first state, and look at it."""
        state = self.environment.begin(key)
        return Situation(state, self.view.begin(self.environment, state))

    def step(self, key: Key, state: Situation, action: Array) -> Situation:
        """Act, and look again."""
        after = self.environment.step(key, state.state, action)
        return Situation(after, self.view.look(self.environment, state.seen, action, after))

    def over(self, state: Situation) -> Array:
        """Return True where the episode has ended."""
        return self.environment.over(state.state)

    def reward(self, state: Situation) -> Array:
        """Return the reward of the step that led to the state."""
        return self.environment.reward(state.state)

    def features(self, state: Situation) -> Array:
        """Return what the view shows."""
        return self.view.features(state.seen)
