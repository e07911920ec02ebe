"""Steps of several trainings in one compiled program, where they differ in numbers alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
from jax.extend.core import ClosedJaxpr

from jaxvae.training.dispatch import GatherStep, Rows, many_steps, row_of, single_step
from jaxvae.training.programs import Joined, Unlike, join
from jaxvae.training.step import Metrics
from jaxvae.types import Chunk, Key, TrainState

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
    key: Key
    """Root key of the training."""


def trace(name: str, step: GatherStep, state: TrainState, resident: Rows, chunk: Chunk) -> Traced:
    """Trace a step on arguments of this form."""
    examples = jax.eval_shape(row_of, chunk, 0)
    program, results = jax.make_jaxpr(step, return_shape=True)(state, resident, *examples)
    structure = jax.tree.structure(results)
    form = (name, jax.tree.structure(state), structure)
    return Traced(program, form, structure, _copy(state.key))


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

        def run(numbers: list[Any], key: Key, state: TrainState, resident: Rows, chunk: Chunk) -> Taken:
            def step(*arguments: Any) -> Taken:
                return jax.tree.unflatten(results, joined.call(numbers, *jax.tree.leaves(arguments)))

            state, metrics = LOOPS[name](step)(state._replace(key=key), resident, chunk)
            return _without_key(state), metrics

        def run_all(states: list[TrainState], keys: Key, resident: Rows, chunks: list[Chunk]) -> list[Taken]:
            state, chunk = (jax.tree.map(lambda *leaves: jnp.stack(leaves), *each) for each in (states, chunks))
            axes = (0, 0, 0, None, Chunk(0, 0, 0, 0, None))  # type: ignore[arg-type]
            chunk = chunk._replace(num_steps=chunks[0].num_steps)
            taken = jax.vmap(run, in_axes=axes)(joined.numbers, keys, state, resident, chunk)
            return [jax.tree.map(lambda leaf, number=number: leaf[number], taken) for number in range(len(states))]

        # Stacked once, because root keys never change.
        self._keys, self._resident = jnp.stack([_copy(one.key) for one in traced]), resident
        self._jitted = jax.jit(run_all, donate_argnums=0)

    def compile(self, states: Sequence[TrainState], chunks: Sequence[Chunk]) -> None:
        """Compile the program, without a run."""
        self._jitted.lower([*map(_without_key, states)], self._keys, self._resident, list(chunks)).compile()

    def run(self, states: Sequence[TrainState | None], chunks: Sequence[Chunk | None]) -> list[Taken | None]:
        """Take as many steps of each training, and donate its state; those that are None have left."""
        some, chunk = next((state, chunk) for state, chunk in zip(states, chunks) if state is not None)
        # A copy for each of these, because a buffer can be donated only once.
        given = [_without_key(some if state is None else state) for state in states]
        given = [jax.tree.map(jnp.copy, one) if state is None else one for one, state in zip(given, states)]
        taken = self._jitted(given, self._keys, self._resident, [one or chunk for one in chunks])
        return [
            None if state is None else (after._replace(key=state.key), metrics)
            for state, (after, metrics) in zip(states, taken)
        ]


def _without_key(state: TrainState) -> TrainState:
    return state._replace(key=())  # type: ignore[arg-type]


def _copy(key: Key) -> Key:
    # A buffer of its own, because that of the state is donated.
    return jnp.copy(jax.random.clone(key))
