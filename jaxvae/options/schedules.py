"""Schedules: numbers of an objective that change with the training step, written as one word such as `0:1@2000`."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable
from typing import TypeAlias, TypeVar

import jax.numpy as jnp
import optax

from jaxvae.errors import InputError, did_you_mean
from jaxvae.types import Array

T = TypeVar("T")
Shape: TypeAlias = Callable[[Array], Array]
"""Function from the number of periods since the first step, 0 to infinity, to the share of the way, 0 to 1."""


def cosine(periods: Array) -> Array:
    """Rise by half a cosine over one period, then stay."""
    return 0.5 - 0.5 * jnp.cos(jnp.pi * jnp.clip(periods, 0, 1))


def step(periods: Array) -> Array:
    """Jump at the end of the period."""
    return (periods >= 1).astype(jnp.float32)


def cycle(periods: Array) -> Array:
    """Rise evenly over the first half of every period and stay for the second.

    Reference: Fu et al. 2019, https://arxiv.org/abs/1903.10145, equation 6.
    """
    return jnp.clip(2 * (periods - jnp.floor(periods)), 0, 1)


SHAPES: dict[str, Shape] = {"cosine": cosine, "step": step, "cycle": cycle}
KINDS = ("line", *SHAPES)
_WORD = re.compile(r"(?:(?P<kind>[a-z]+):)?(?P<start>[^:@]+):(?P<end>[^:@]+)@(?P<steps>\d+)")
SYNTAX = "START:END@STEPS, after line:, cosine:, step: or cycle: if it is no line"


@dataclasses.dataclass(frozen=True)
class Schedule:
    """Number that goes from one value to another over a period of steps.

    >>> str(Schedule.parse("cycle:0:1@2000")), float(Schedule.parse("0:4@100")(25))
    ('cycle:0:1@2000', 1.0)
    """

    start: float
    end: float
    steps: int
    kind: str = "line"

    @classmethod
    def parse(cls, word: str) -> Schedule:
        """Read a schedule from its word.

        Raises:
            InputError: the word is not of this form.
        """
        found = _WORD.fullmatch(word)
        if not found:
            raise InputError(f"schedule: must be {SYNTAX}, got {word!r}")
        kind = found["kind"] or "line"
        if kind not in KINDS:
            raise InputError(f"schedule: must be one of {', '.join(KINDS)}, got {kind!r}{did_you_mean(kind, KINDS)}")
        try:
            start, end, steps = float(found["start"]), float(found["end"]), int(found["steps"])
        except ValueError:
            raise InputError(f"schedule: must be {SYNTAX}, got {word!r}") from None
        if not (math.isfinite(start) and math.isfinite(end) and steps > 0):
            raise InputError(f"schedule: must have finite ends and at least one step, got {word!r}")
        return cls(start, end, steps, kind)

    def __call__(self, step: Array | int) -> Array:
        """Return the value at a step."""
        if self.kind == "line":
            return jnp.asarray(optax.linear_schedule(self.start, self.end, self.steps)(step))
        share = SHAPES[self.kind](jnp.asarray(step, jnp.float32) / self.steps)
        return self.start + (self.end - self.start) * share

    def __str__(self) -> str:
        kind = "" if self.kind == "line" else f"{self.kind}:"
        return f"{kind}{self.start:g}:{self.end:g}@{self.steps}"


Number: TypeAlias = float | Schedule
"""Number, or a schedule of it."""


def parse_number(word: str) -> Number:
    """Read a number, or a schedule from its word."""
    return Schedule.parse(word) if "@" in word or ":" in word else float(word)


def ends(value: T | Schedule) -> tuple[T | float, ...]:
    """Return the values between which a number lies: itself, or both ends of its schedule."""
    return (value.start, value.end) if isinstance(value, Schedule) else (value,)
