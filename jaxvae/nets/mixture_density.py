"""Recurrent mixture density network: what comes next in a sequence of codes and actions."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import linen as nn

from jaxvae.distributions.normal_mixture import NormalMixture
from jaxvae.nets.lstm import LSTMLayer
from jaxvae.nets.network import Network
from jaxvae.nets.recurrence import State
from jaxvae.types import Array

LEAST_LOG_VAR, FIRST_LOG_VAR = -10.0, -4.0
"""Least log-variance of a component, which a constant dimension would push to minus infinity, and that at the start."""


class Prediction(NamedTuple):
    """Prediction of one step."""

    code: NormalMixture
    """Distribution of the next code."""
    end: Array
    """`[...]` logits of the end of the episode with this step."""
    reward: Array
    """`[...]` logits of its reward, from 0 to 1; infinite, a reward of 1, where it is not predicted."""


class MixtureDensityLSTM(Network):
    """LSTM over codes z and actions a, whose output h says how the next code is distributed.

        h_{t+1} = LSTM([z_t, a_t], h_t),    p(z_{t+1} | z_t, h_{t+1}) = prod_d sum_k w_dk N(z_td + m_dk, s_dk^2)

    Hidden layers read z and h, since how a code changes is a product of where and how fast things are. Means are
    relative to the present code, most of which stays from step to step. The end has layers of its own: in the same ones
    the many nats of the codes would drown its few. So has the reward, where it is predicted at all.

    Reference: Ha & Schmidhuber 2018, World models, https://arxiv.org/abs/1803.10122, section 2.2 and appendix A.2;
    Graves 2013, https://arxiv.org/abs/1308.0850, section 4.
    """

    width: int
    latent_dim: int
    components: int = 5
    hidden: int = 64
    """Width of the hidden layers."""
    num_actions: int = 2
    predicts_reward: bool = False
    """Whether rewards from 0 to 1 are predicted; if not, each step is worth 1."""

    def setup(self) -> None:
        """Make the LSTM, and the layers of the mixture."""
        self.lstm = LSTMLayer(self.width)
        self.of_code = nn.Sequential([nn.Dense(self.hidden), nn.relu, nn.Dense(3 * self.latent_dim * self.components)])
        self.of_end = nn.Sequential([nn.Dense(self.hidden), nn.relu, nn.Dense(1)])
        self.of_reward = nn.Sequential([nn.Dense(self.hidden), nn.relu, nn.Dense(1)]) if self.predicts_reward else None

    def __call__(self, z: Array, actions: Array) -> Prediction:
        """Predict each step of sequences `[T, B, D]` with actions `[T, B]`, which begin without a memory."""
        return self.predict(z, self.outputs(z, actions))

    def outputs(self, z: Array, actions: Array) -> Array:
        """Return h after each step of sequences, `[T, B, H]`."""
        start = (jnp.zeros((*z.shape[1:-1], self.width)),) * 2
        return self.lstm(self._inputs(z, actions), start)

    def step(self, z: Array, action: Array, state: State) -> State:
        """Return h and c `[..., H]` after one more code `[..., D]` and action `[...]`."""
        return self.lstm.step(self._inputs(z, action), state)

    def predict(self, z: Array, h: Array) -> Prediction:
        """Predict what follows a code `[..., D]`, from the output h `[..., H]` that has read it."""
        seen = jnp.concatenate([z, h], axis=-1)
        values = self.of_code(seen).reshape(*h.shape[:-1], self.latent_dim, 3 * self.components)
        logits, shifts, widths = jnp.split(values, 3, axis=-1)
        log_vars = LEAST_LOG_VAR + jax.nn.softplus(widths + FIRST_LOG_VAR - LEAST_LOG_VAR)
        end = self.of_end(seen)[..., 0]
        reward = jnp.full_like(end, jnp.inf) if self.of_reward is None else self.of_reward(seen)[..., 0]
        return Prediction(NormalMixture(logits, z[..., None] + shifts, log_vars), end, reward)

    def _inputs(self, z: Array, actions: Array) -> Array:
        return jnp.concatenate([z, jax.nn.one_hot(actions, self.num_actions)], axis=-1)
