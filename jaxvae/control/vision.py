"""V: a model of frames, as what it was trained for: from frames to codes, and back."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import jax
import numpy as np

from jaxvae.control.environments import Environment
from jaxvae.types import Array, Params


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class Vision:
    """V: a model with its parameters, from frames to codes and back without noise."""

    params: Params
    model: Any = dataclasses.field(metadata={"static": True})

    def encode(self, frame: Array) -> Array:
        """Return the mean code `[D]` of a frame `[H, W, C]`."""
        return self.model.encode(self.params, frame[None]).mean[0]

    def decode(self, z: Array) -> Array:
        """Return the mean frame `[H, W, C]` of a code `[D]`."""
        return self.model.decode(self.params, z[None]).mean[0]

    def encode_states(self, environment: Environment, states: Any) -> np.ndarray:
        """Return the codes `[N, T, D]` of the frames of states `[N, T]`, one episode after another."""
        leaves, form = jax.tree.flatten(states)
        episodes = (jax.tree.unflatten(form, each) for each in zip(*leaves))
        return np.stack([np.asarray(_encode_states(self, environment, episode)) for episode in episodes])


@functools.partial(jax.jit, static_argnums=1)
def _encode_states(vision: Vision, environment: Environment, states: Any) -> Array:
    return jax.vmap(lambda state: vision.encode(environment.frame(state)))(states)
