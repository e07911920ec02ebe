"""C: linear controllers that evolve in a world."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxvae import rng
from jaxvae.control import evolution
from jaxvae.control.evolution import Evolution
from jaxvae.control.resuming import go_on
from jaxvae.control.rollouts import num_parameters, returns
from jaxvae.control.worlds import World
from jaxvae.types import Array, Key


class Search(NamedTuple):
    """State of a search, and its history."""

    evolution: Evolution
    median: Array
    """`[generations]` median over controllers of their mean return; NaN for generations that did not take place."""
    best: Array
    """`[generations]` greatest mean return."""

    @property
    def step(self) -> Array:
        """Number of generations."""
        return self.evolution.step

    @property
    def controller(self) -> Array:
        """`[N]` mean of the distribution, which is the controller that is found."""
        return self.evolution.mean


def search(
    key: Key,
    world: World,
    num_features: int,
    folder: Path,
    *,
    generations: int = 40,
    population: int = 32,
    episodes: int = 8,
    steps: int,
    enough: float = math.inf,
    note: Callable[[int], None] = lambda generation: None,
) -> Search:
    """Evolve a linear controller, from the newest checkpoint if there is one.

    It ends early with a generation of which half has a mean return that is enough.

    Args:
        key: one key.
        world: world in which the controllers act.
        num_features: number F of the features that they see.
        folder: folder of the checkpoints.
        generations: greatest number of generations.
        population: number of controllers in a generation.
        episodes: number of episodes of each, the same for all of a generation.
        steps: greatest number of steps of an episode.
        enough: mean return that is enough.
        note: function called with the number of generations.
    """

    def advance(state: Search) -> Search:
        generation = state.step
        points = evolution.ask(rng.stream(key, "ask", generation), state.evolution, population)
        keys = rng.sample_keys(rng.stream(key, "episodes", generation), episodes)
        scores = returns(world, points, keys, steps=steps).mean(axis=1)
        return _told(state, points, scores)

    def is_done(state: Search) -> bool:
        return int(state.step) > 0 and float(state.median[state.step - 1]) >= enough

    nothing = jnp.full(generations, jnp.nan)
    start = Search(evolution.begin(num_parameters(world, num_features)), nothing, nothing)
    return go_on(folder, start, advance, steps=generations, every=10, is_done=is_done, note=note)


@jax.jit
def _told(state: Search, points: Array, scores: Array) -> Search:
    number = state.evolution.step
    median, best = state.median.at[number].set(jnp.median(scores)), state.best.at[number].set(scores.max())
    return Search(evolution.tell(state.evolution, points, scores), median, best)
