"""V: a model of frames, as what it was trained for: from frames to codes, and back."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import numpy as np
from jax.typing import ArrayLike

from jaxvae.control.frames import draw
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

    def encode_states(self, states: ArrayLike) -> np.ndarray:
        """Return the codes `[N, T, D]` of the frames of states `[N, T, 4]`, one episode after another."""
        return np.stack([np.asarray(_encode_states(self, episode)) for episode in np.asarray(states)])


@jax.jit
def _encode_states(vision: Vision, states: Array) -> Array:
    return jax.vmap(lambda state: vision.encode(draw(state)))(states)
