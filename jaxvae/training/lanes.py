"""Trainings at once: each an ordinary run in a thread of its own, whose steps are taken together with the others'.

A `Lane` gives its training a dispatch that waits for the steps of all others. Order of examples, keys, evaluations,
checkpoints and end are the training's own. The threads take turns, see `Turns`, so that only steps run at once.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxvae.errors import InputError
from jaxvae.training.dispatch import Dispatch, DispatchName, Rows, StepMaker, make_dispatch
from jaxvae.training.interrupt import Interrupt
from jaxvae.training.programs import Unlike
from jaxvae.training.together import LOOPS, Taken, Together, Traced, join_steps, trace
from jaxvae.training.turns import Turns
from jaxvae.types import Chunk, TrainState


class Lanes:
    """Trainings that wait for each other's steps.

    Args:
        num: number of trainings; each must `leave` its lane at its end.
        interrupt: interruption of them all.
        say: function for the lines that tell which trainings go together.
    """

    def __init__(self, num: int, interrupt: Interrupt, say: Callable[[str], None] = print) -> None:
        self._turns, self._interrupt, self._say = Turns(num, self._meeting), interrupt, say
        self.interrupt = Interrupt()
        """Interruption that all trainings see after the same step."""
        self._traced: dict[Lane, Traced] = {}
        self._groups: list[list[Lane]] = []
        self._programs: list[tuple[list[Lane], Together]] = []
        self._placed: list[tuple[Rows, Rows]] = []
        self.all = [Lane(self, self._turns) for _ in range(num)]

    def stop(self) -> None:
        """Let all trainings stop after their next steps, as a signal does."""
        self._interrupt.signal = self._interrupt.signal or signal.SIGTERM

    def place(self, resident: Rows, device: jax.Device) -> Rows:
        """Put rows on the device, once for all trainings with the same."""
        for rows, placed in self._placed:
            if _same(rows, resident):
                return placed
        self._placed.append((resident, jax.device_put(resident, device)))
        return self._placed[-1][1]

    def _meeting(self, brought: Mapping[int, Steps | None]) -> Mapping[int, Taken | None]:
        """Take the steps that trainings have brought, or compile them; returns what each gets."""
        self.interrupt.signal = self._interrupt.signal
        asked = {number: steps for number, steps in brought.items() if steps is not None}
        if new := {steps.lane: steps.lane.trace(steps) for steps in asked.values() if steps.lane not in self._traced}:
            self._traced |= new
            self._tell(self._grouped(list(new)))
        taken: dict[int, Taken | None] = dict.fromkeys(brought)
        for numbers in self._together(asked):
            taken.update(zip(numbers, self._take([asked[number] for number in numbers])))
        return taken

    def _grouped(self, lanes: Sequence[Lane]) -> dict[Lane, str]:
        """Put lanes into groups of like programs; returns why the first of a group is in none of those before."""
        reasons: dict[Lane, str] = {}
        for lane in lanes:
            for group in self._groups:
                try:
                    self._check_alike(group[0], lane)
                except Unlike as difference:
                    reasons.setdefault(lane, f"{difference} than that of {group[0].name}")
                else:
                    group.append(lane)
                    break
            else:
                self._groups.append([lane])
        return reasons

    def _check_alike(self, one: Lane, other: Lane) -> None:
        if one.resident is not other.resident:
            raise Unlike("other data")
        join_steps([self._traced[one], self._traced[other]])

    def _tell(self, reasons: Mapping[Lane, str]) -> None:
        for group in self._groups:
            how, whose = ("at once", "their step") if len(group) > 1 else ("alone", "its step")
            why = f", because {whose} has {reasons[group[0]]}" if group[0] in reasons else ""
            self._say(f"{', '.join(lane.name for lane in group)}: trained {how}{why}")

    def _together(self, asked: Mapping[int, Steps]) -> list[list[int]]:
        """Return the numbers of those whose steps are taken together: as many, in like programs."""
        found: dict[Any, list[int]] = {}
        for number, steps in asked.items():
            group = next(index for index, group in enumerate(self._groups) if steps.lane in group)
            found.setdefault((group, steps.chunk.num_steps, steps.compiles), []).append(number)
        return list(found.values())

    def _take(self, several: Sequence[Steps]) -> Sequence[Taken | None]:
        if len(several) == 1:
            return [_take_alone(several[0])]
        lanes, program = self._program([steps.lane for steps in several])
        given = {steps.lane: (steps.state, steps.chunk) for steps in several}
        states, chunks = zip(*(given.get(lane, (None, None)) for lane in lanes))
        if several[0].compiles:
            program.compile(states, chunks)
            return [None] * len(several)
        taken = dict(zip(lanes, program.run(states, chunks)))
        return [taken[steps.lane] for steps in several]

    def _program(self, lanes: list[Lane]) -> tuple[list[Lane], Together]:
        """Return the program of these lanes: that of more, until half of those have left."""
        for known, program in self._programs:
            if {*lanes} <= {*known} and len(known) < 2 * len(lanes):
                return known, program
        self._programs = [one for one in self._programs if not {*lanes} <= {*one[0]}]
        self._programs.append((lanes, Together([self._traced[lane] for lane in lanes], lanes[0].resident)))
        return self._programs[-1]


class Lane:
    """Place of one training among `Lanes`."""

    alone: Dispatch
    """Dispatch of its steps without the others."""
    resident: Rows
    """Rows of the whole set on the device, None where they are streamed."""
    trace: Callable[[Steps], Traced]
    """Function that traces its step."""

    def __init__(self, lanes: Lanes, turns: Turns) -> None:
        self._lanes, self._turns = lanes, turns
        self._number: int | None = None
        self.name = ""

    @property
    def interrupt(self) -> Interrupt:
        """Interruption of all trainings."""
        return self._lanes.interrupt

    def begin(self, number: int, name: str) -> None:
        """Wait for the other trainings; their turns come by their numbers."""
        self._number, self.name = number, name
        self._turns.meet(number, None)

    def leave(self) -> None:
        """Let the others go on, after the end of this training or where it does not begin."""
        self._turns.leave(self._number)

    def make_dispatch(
        self, name: DispatchName, make_step: StepMaker, resident: Rows, *, devices: Sequence[jax.Device], **options: Any
    ) -> Dispatch:
        """Make a dispatch as `training.make_dispatch` does, whose steps are taken together with those of the others.

        Raises:
            InputError: there are several devices.
        """
        if name not in LOOPS or self._number is None:
            raise InputError("devices: trials are trained at once on one device; give --fixed devices=1")
        number, self.resident = self._number, self._lanes.place(resident, devices[0])
        self.alone = make_dispatch(name, make_step, self.resident, devices=devices, **options)
        self.trace = lambda steps: trace(name, make_step(None), steps.state, self.resident, steps.chunk)

        def meet(compiles: bool) -> Callable[[TrainState, Chunk], Any]:
            return lambda state, chunk: self._turns.meet(number, Steps(self, state, chunk, compiles))

        return self.alone._replace(run=meet(False), compile=meet(True), clock=lambda: self._turns.clock(number))


class Steps(NamedTuple):
    """Steps that a training waits for."""

    lane: Lane
    state: TrainState
    chunk: Chunk
    compiles: bool
    """Compile the program, and take no step."""


def _take_alone(steps: Steps) -> Taken | None:
    alone = steps.lane.alone
    if not steps.compiles:
        return alone.run(steps.state, steps.chunk)
    alone.compile(steps.state, steps.chunk)
    return None


def _same(one: Rows, other: Rows) -> bool:
    """Return True for equal rows."""
    leaves, others = jax.tree.leaves_with_path(one), jax.tree.leaves_with_path(other)
    if [path for path, _ in leaves] != [path for path, _ in others]:
        return False
    return all(_same_array(array, twin) for (_, array), (_, twin) in zip(leaves, others))


def _same_array(one: np.ndarray, other: np.ndarray) -> bool:
    # Views of one array are equal without a look at their values.
    return one.__array_interface__ == other.__array_interface__ or np.array_equal(one, other)
