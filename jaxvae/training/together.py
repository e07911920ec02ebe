"""Steps of several trainings in one compiled program, where they differ in numbers alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
from jax.extend.core import ClosedJaxpr

from jaxvae.training.dispatch import GatherStep, Rows, many_steps, row_of, single_step
from jaxvae.training.programs import Joined, Unlike, join
from jaxvae.training.step import Metrics
from jaxvae.types import Array, Chunk, TrainState

Taken: TypeAlias = tuple[TrainState, Metrics]
"""State after some steps, and their metrics."""
LOOPS = {"step": single_step, "scan": many_steps}
"""Loops of steps on one device, by the name of their dispatch."""


class Traced(NamedTuple):
    """Step of one training as a program."""

    program: ClosedJaxpr
    form: Any
    """Structure of its state and of its results, and name of its dispatch."""
    results: Any
    """Structure of its results."""


def trace(name: str, step: GatherStep, state: TrainState, resident: Rows, chunk: Chunk) -> Traced:
    """Trace a step on arguments of this form."""
    examples = jax.eval_shape(row_of, chunk, 0)
    program, results = jax.make_jaxpr(step, return_shape=True)(state, resident, *examples)
    form = jax.tree.structure(results)
    return Traced(program, (name, jax.tree.structure(state), form), form)


def join_steps(traced: Sequence[Traced]) -> Joined:
    """Join traced steps.

    Raises:
        Unlike: they differ in more than numbers.
    """
    if len({one.form for one in traced}) > 1:
        raise Unlike("other parameters, or another optimizer")
    return join([one.program for one in traced])


class Together:
    """Compiled program that takes the steps of several trainings.

    Args:
        traced: the step of each.
        resident: rows of the whole set on the device, the same for all; None where chunks contain theirs.
    """

    def __init__(self, traced: Sequence[Traced], resident: Rows) -> None:
        joined, (name, *_), results = join_steps(traced), traced[0].form, traced[0].results

        def run(numbers: list[Array], state: TrainState, resident: Rows, chunk: Chunk) -> Taken:
            def step(*arguments: Any) -> Taken:
                return jax.tree.unflatten(results, joined.call(numbers, *jax.tree.leaves(arguments)))

            return LOOPS[name](step)(state, resident, chunk)

        def run_all(states: list[TrainState], resident: Rows, chunks: list[Chunk]) -> list[Taken]:
            state, chunk = (jax.tree.map(lambda *leaves: jnp.stack(leaves), *each) for each in (states, chunks))
            axes = (0, 0, None, Chunk(0, 0, 0, 0, None))  # type: ignore[arg-type]
            chunk = chunk._replace(num_steps=chunks[0].num_steps)
            taken = jax.vmap(run, in_axes=axes)(joined.numbers, state, resident, chunk)
            return [jax.tree.map(lambda leaf, number=number: leaf[number], taken) for number in range(len(states))]

        self._num, self._resident, self._jitted = len(traced), resident, jax.jit(run_all, donate_argnums=0)

    def compile(self, states: Sequence[TrainState], chunks: Sequence[Chunk]) -> None:
        """Compile the program, without a run."""
        self._jitted.lower(list(states), self._resident, list(chunks)).compile()

    def run(self, states: Sequence[TrainState | None], chunks: Sequence[Chunk | None]) -> list[Taken]:
        """Take the same number of steps of each training, and donate its state; those that are None are idle."""
        state, chunk = next((state, chunk) for state, chunk in zip(states, chunks) if state is not None)
        # A copy for each idle place, because a buffer can be donated only once.
        states = [jax.tree.map(jnp.copy, state) if one is None else one for one in states]
        return self._jitted(states, self._resident, [chunk if one is None else one for one in chunks])
