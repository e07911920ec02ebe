"""Games of MinAtar, computed by gymnax: frames of 10x10 bits in several channels.

Reference: Young & Tian 2019, MinAtar, https://arxiv.org/abs/1903.03176; Lange 2022, gymnax,
https://github.com/RobertTLange/gymnax.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxvae import rng
from jaxvae.packages import needed_by
from jaxvae.types import Array, Key

LAST_CELL = 9
"""Largest coordinate."""


class Played(NamedTuple):
    """State of a game."""

    game: Any
    """State as gymnax has it."""
    action: Array
    """Action of the last step, which the next one may repeat."""
    reward: Array
    over: Array


@dataclasses.dataclass(frozen=True)
class MinAtar:
    """Game whose actions stick: now and then the last one is repeated in place of the one that was chosen.

    So a game has noise, and nobody can learn it by heart.

    Reference: Machado et al. 2018, https://arxiv.org/abs/1709.06009, section 5.
    """

    name: str
    """Name in gymnax."""
    quantities: tuple[str, ...]
    """Coordinates of the game's state that `numbers` returns, each from 0 to 9."""
    stickiness: float = 0.1
    """Probability that the last action is repeated."""

    @property
    def num_actions(self) -> int:
        """Number of actions that do something in this game."""
        return int(_made(self.name)[0].num_actions)

    def begin(self, key: Key) -> Played:
        """Draw a first state."""
        game, params = _made(self.name)
        state = jax.tree.map(jnp.asarray, game.reset_env(key, params)[1])
        return Played(state, jnp.zeros((), jnp.int32), jnp.zeros(()), jnp.array(False))

    def step(self, key: Key, state: Played, action: Array) -> Played:
        """Take the action, or the last one again."""
        game, params = _made(self.name)
        sticks = jax.random.bernoulli(rng.stream(key, "stick"), self.stickiness)
        action = jnp.where(sticks, state.action, action)
        # `step` would begin another episode at once, and hide the last state of this one.
        _, after, reward, over, _ = game.step_env(rng.stream(key, "game"), state.game, action, params)
        after = jax.tree.map(lambda new, old: jnp.asarray(new, old.dtype), after, state.game)
        return Played(after, action, jnp.asarray(reward, jnp.float32), jnp.asarray(over, bool))

    def over(self, state: Played) -> Array:
        """Return True where the game is lost."""
        return state.over

    def reward(self, state: Played) -> Array:
        """Return the points of the last step."""
        return state.reward

    def frame(self, state: Played) -> Array:
        """Return the bits `[10, 10, C]`."""
        return jnp.asarray(_made(self.name)[0].get_obs(state.game), jnp.float32)

    def numbers(self, state: Played) -> Array:
        """Return the coordinates, from -1 to 1."""
        cells = jnp.stack([jnp.asarray(getattr(state.game, name), jnp.float32) for name in self.quantities])
        return 2 * cells / LAST_CELL - 1


GAMES = {
    "breakout": MinAtar("Breakout-MinAtar", ("ball_x", "ball_y", "last_x", "last_y", "pos")),
}
"""Games by the names that scripts use."""


@functools.cache
def _made(name: str) -> tuple[Any, Any]:
    """Return a game of gymnax with its parameters.

    Raises:
        InputError: gymnax is not installed.
    """
    gymnax = needed_by("world", "gymnax", "control")
    with jax.ensure_compile_time_eval():  # it holds arrays, which must not be those of a program that is traced
        return gymnax.make(name)
