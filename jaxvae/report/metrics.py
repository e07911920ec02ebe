"""Metrics over a run: lines of JSON, and TensorBoard."""

from __future__ import annotations

import json
import logging
import math
from pathlib import Path
from typing import Any

from jaxvae.report.tensorboard import Board

logger = logging.getLogger(__name__)


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """All records of a metrics file, without a last line torn by a crash, nor, with a warning, damaged ones."""
    records, damaged = _parse(path)
    if damaged:
        logger.warning("%s: line %s cannot be read and is left out", path, ", ".join(map(str, damaged)))
    return records


def _parse(path: Path) -> tuple[list[dict[str, Any]], list[int]]:
    """The records, and the numbers of the lines that are none; a last line without its end is neither."""
    records, damaged = [], []
    lines = path.read_bytes().split(b"\n") if path.exists() else []
    for number, line in enumerate(lines, start=1):
        try:
            record = json.loads(line)
            if not isinstance(record["step"], int) or not isinstance(record["split"], str):
                raise TypeError
            records.append(record)
        except (ValueError, TypeError, KeyError):
            damaged.append(number)
    return records, [number for number in damaged if number < len(lines)]


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file whole or not at all; numbers that are not finite become null."""
    write_whole(path, json.dumps(finite(value), indent=2, allow_nan=False) + "\n")


def finite(value: Any) -> Any:
    """Replace NaN and infinity, which JSON cannot say, by None, however deep they lie.

    >>> finite({"elbo": -1.5, "standard_error": float("nan"), "kl": [0.5, float("inf")]})
    {'elbo': -1.5, 'standard_error': None, 'kl': [0.5, None]}
    """
    if isinstance(value, dict):
        return {name: finite(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write_whole(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    part = path.with_name(path.name + ".part")
    part.write_text(text)
    part.replace(path)


class MetricsWriter:
    """Appends records to `metrics.jsonl`, and their numbers to TensorBoard if wanted.

    A resumed run first drops what the interrupted one wrote after its checkpoint, so no record stands twice.

    Args:
        run_dir: where.
        first_step: the step that the run goes on from.
        tensorboard: whether to write for TensorBoard too.
        expected: how many `lines` there were at that step, where it is known.
    """

    def __init__(self, run_dir: Path, *, first_step: int, tensorboard: bool, expected: int | None = None) -> None:
        self._path = run_dir / "metrics.jsonl"
        records, damaged = _parse(self._path)
        if damaged:
            # Whole or not at all: what a person may still make out of it is kept beside it.
            kept_as = self._path.rename(self._path.with_name("metrics.damaged.jsonl"))
            logger.warning("%s: line %s cannot be read; kept as %s", self._path, damaged, kept_as.name)
        kept = [record for record in records if record["step"] <= first_step]
        self.lines = len(kept)
        """How many there are."""
        if expected is not None and self.lines < expected:
            logger.warning("%s: %d of %d lines are lost", self._path, expected - self.lines, expected)
        write_whole(self._path, "".join(json.dumps(finite(record)) + "\n" for record in kept))
        self._board = Board(run_dir / "tensorboard", first_step=first_step) if tensorboard else None

    def write(self, split: str, step: int, values: dict[str, Any]) -> None:
        """Record values of a split at a step; TensorBoard gets the scalars among them."""
        # Opened for each line: a full disk is then an error here, and nothing is left that would be written later.
        with self._path.open("a") as lines:
            lines.write(json.dumps(finite({"step": step, "split": split, **values}), allow_nan=False) + "\n")
        self.lines += 1
        if self._board is not None:
            scalars = {name: value for name, value in values.items() if isinstance(value, (int, float))}
            self._board.write(step, {f"{split}/{name}": value for name, value in scalars.items()})
