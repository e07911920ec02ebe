"""All trackers of a training: one that fails gives a warning, and affects neither the others nor the run."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jaxvae.errors import first_line
from jaxvae.report import write_json
from jaxvae.report.metrics import finite
from jaxvae.trackers import TRACKERS
from jaxvae.trackers.tracker import About, Tracker, scalars

FILE = "trackers.json"
"""File of a run directory with the name that each tracker gave the run, and the last step that it has of each split."""
logger = logging.getLogger(__name__)


class Tracking:
    """Trackers of one training.

    A run that was killed repeats the steps since its last checkpoint; a tracker gets them once.

    Args:
        names: names of the trackers.
        about: the run.
    """

    def __init__(self, names: Sequence[str], about: About) -> None:
        self._path = about.run_dir / FILE
        self._known: dict[str, dict[str, Any]] = _read(self._path)
        self._open: dict[str, Tracker] = {}
        for name in names:
            with self._guarded(name):
                known_as = self._known.get(name, {}).get("known_as")
                self._open[name] = TRACKERS[name].open(about._replace(known_as=known_as))
                self._note(name)

    def log(self, split: str, step: int, values: Mapping[str, Any]) -> None:
        """Record the numbers among the values of a split at a step."""
        named = {f"{split}/{name}": value for name, value in scalars(values).items()}

        def log(name: str, tracker: Tracker) -> None:
            if tracker.known_as is None or step > self._known[name]["steps"].get(split, -1):
                tracker.log(step, named)
                self._note(name, {split: step})

        self._each(log)

    def finish(self, summary: Mapping[str, Any], figures: Path | None = None) -> None:
        """Keep the final numbers and all figures in a folder, and close every tracker."""
        paths = sorted(path for path in figures.rglob("*") if path.is_file()) if figures else []

        def finish(name: str, tracker: Tracker) -> None:
            for path in paths:
                tracker.figure(str(path.relative_to(self._path.parent)), path)
            tracker.finish(finite(dict(summary)))

        self._each(finish)
        self._open.clear()

    def _each(self, call: Callable[[str, Tracker], None]) -> None:
        for name, tracker in [*self._open.items()]:
            with self._guarded(name):
                call(name, tracker)

    @contextlib.contextmanager
    def _guarded(self, name: str) -> Iterator[None]:
        """Turn an error into one warning, after which the tracker is left out."""
        try:
            yield
        except Exception as error:
            self._open.pop(name, None)
            reason = f"{type(error).__name__}: {first_line(error)}"
            logger.warning("--track %s fails and is left out (%s); the run goes on", name, reason)

    def _note(self, name: str, steps: Mapping[str, int] | None = None) -> None:
        """Write down what a tracker has, where a resumed run must know it."""
        if (known_as := self._open[name].known_as) is not None:
            before = self._known.get(name, {}).get("steps", {})
            self._known[name] = {"known_as": known_as, "steps": {**before, **(steps or {})}}
            write_json(self._path, self._known)


@contextlib.contextmanager
def tracked(names: Sequence[str], about: About) -> Iterator[Tracking]:
    """Open the trackers of a training, and close them at its end, also where that is an error or an interruption."""
    tracking = Tracking(names, about)
    try:
        yield tracking
    finally:
        tracking.finish({})


def _read(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text()))
    except (OSError, ValueError):
        return {}
