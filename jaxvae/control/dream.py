"""Dream: a world that a recurrent network imagines, without the environment."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxvae.control.views import Remembered, empty, features, remember
from jaxvae.nets.bound import Bound
from jaxvae.nets.mixture_density import Prediction
from jaxvae.types import Array, Key


class Imagined(NamedTuple):
    """Code and memory that are imagined, whether the episode has ended, and the reward of the last step."""

    seen: Remembered
    over: Array
    reward: Array


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class Dream:
    """World of codes that M samples, each from the codes and actions before it.

    The temperature widens what M expects: a controller that must bear with more than can happen cannot live on M's
    mistakes alone.

    Reference: Ha & Schmidhuber 2018, https://arxiv.org/abs/1803.10122, section 4.
    """

    memory: Bound
    """Network as `nets.MixtureDensityLSTM`."""
    starts: Array
    """`[N, D]` codes of first frames, of which an episode begins with one."""
    temperature: Array
    """Temperature of the mixture; small ones follow its most probable component without noise."""

    @property
    def num_actions(self) -> int:
        """Number of actions."""
        return int(self.memory.network.num_actions)

    def begin(self, key: Key) -> Imagined:
        """Choose a first code."""
        z = self.starts[jax.random.randint(key, (), 0, len(self.starts))]
        return Imagined(Remembered(z, empty(self.memory)), jnp.array(False), jnp.zeros(()))

    def step(self, key: Key, state: Imagined, action: Array) -> Imagined:
        """Imagine what follows an action."""
        memory = remember(self.memory, state.seen, action)
        follows: Prediction = self.memory(state.seen.z, memory[0], method="predict")
        # Codes can leave all bounds, and controllers would live on what is no number.
        reward = jnp.nan_to_num(jax.nn.sigmoid(follows.reward))
        z = follows.code.tempered(self.temperature).sample(key)
        return Imagined(Remembered(z, memory), follows.end > 0, reward)

    def over(self, state: Imagined) -> Array:
        """Return True where M takes the end for more probable than not."""
        return state.over

    def reward(self, state: Imagined) -> Array:
        """Return the reward that M expects of the last step."""
        return state.reward

    def features(self, state: Imagined) -> Array:
        """Return z and h side by side, as `CodedWithMemory` does."""
        return features(state.seen)
