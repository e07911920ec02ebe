"""Worlds by name, with what is particular to each: a further one is one more row."""

from __future__ import annotations

import math
from typing import NamedTuple

from jaxvae.control.cartpole import STEPS
from jaxvae.control.environments import CartPole, Environment
from jaxvae.control.minatar import GAMES


class Setting(NamedTuple):
    """Environment, and how it is learned."""

    environment: Environment
    survival: bool
    """Whether each step is worth 1, so that the return is their number."""
    longest: int
    """Greatest number of steps of an episode."""
    likelihood: str
    """Likelihood of V."""
    latent_dim: int
    """Number of dimensions of its z."""
    window: int
    """Steps of the windows of episodes that M is trained on; most of an episode should fill them."""

    @property
    def enough(self) -> float:
        """Greatest return, at which a search ends."""
        return self.longest if self.survival else math.inf


WORLDS = {
    "cartpole": Setting(CartPole(), True, STEPS, "normal_shared", 8, 64),
    **{name: Setting(game, False, 200, "bernoulli", 16, 16) for name, game in GAMES.items()},
}
"""Worlds by the names that scripts use."""
