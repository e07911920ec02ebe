"""Loops that go on where a killed process left them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

from jaxvae.checkpoint import Checkpoints
from jaxvae.types import Array


class Stepped(Protocol):
    """Pytree of arrays that counts its steps."""

    @property
    def step(self) -> Array:
        """Number of steps taken."""
        ...


S = TypeVar("S", bound=Stepped)


def go_on(
    folder: Path,
    state: S,
    advance: Callable[[S], S],
    *,
    steps: int,
    every: int,
    is_done: Callable[[S], bool] = lambda state: False,
    note: Callable[[int], None] = lambda step: None,
) -> S:
    """Advance a state to its last step, from its newest checkpoint if there is one.

    An interrupted loop ends with the same state as one that was not, where `advance` depends on the state alone.

    Args:
        folder: folder of its checkpoints.
        state: state before the first step.
        advance: function that takes one or more steps.
        steps: number of the last step.
        every: number of steps from one checkpoint to the next, at least.
        is_done: condition that ends the loop early.
        note: function called with the number of steps taken.

    Raises:
        InputError: there are checkpoints, but of another state, or all are damaged.
        OSError: a checkpoint cannot be written.
    """
    checkpoints = Checkpoints(folder, keep_latest=1, keep_best=0)
    checkpoints.remove_parts()
    restored = checkpoints.restore(state)
    state = state if restored is None else restored.state
    saved = step = int(state.step)
    note(step)
    while step < steps and not is_done(state):
        state = advance(state)
        step = int(state.step)
        note(step)
        if step - saved >= every or step >= steps or is_done(state):
            checkpoints.save(step, state, {}, None)
            saved = step
    return state
