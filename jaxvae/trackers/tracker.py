"""Protocol of the trackers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol


class About(NamedTuple):
    """Run that is tracked."""

    run_dir: Path
    config: Mapping[str, Any]
    """Recipe as plain values."""
    options: Mapping[str, Any]
    """Options of the recipe by their names on the command line."""
    first_step: int
    """Step from which the run resumes."""
    known_as: str | None = None
    """Name that the tracker gave the run when it began; None of a new one."""


class Tracker(Protocol):
    """Place where the numbers of a run go."""

    known_as: str | None
    """Name by which a resumed run goes on; None where it needs no name and takes repeated steps."""

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Record numbers of a step by name."""
        ...

    def figure(self, name: str, path: Path) -> None:
        """Keep a figure of the finished run."""
        ...

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Keep the final numbers, none of a run that is stopped before its end, and close."""
        ...


TIME = "first_run_at"
"""Number of a summary that is a time of day, of which no curve can be drawn."""


def scalars(values: Mapping[str, Any]) -> dict[str, float]:
    """Return the numbers among values, except the time of day.

    >>> scalars({"elbo": -1.5, "kl_per_dimension": [0.5, 1.0], "select": "last", "first_run_at": 1.8e9, "best": True})
    {'elbo': -1.5}
    """
    return {
        name: value
        for name, value in values.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and name != TIME
    }
