"""Metrics of a run, as lines of JSON."""

from __future__ import annotations

import json
import logging
import math
import os
from pathlib import Path
from typing import Any

from jaxvae import disk

logger = logging.getLogger(__name__)


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """Read all records of a metrics file, except a last line torn by a crash and, with a warning, damaged ones."""
    records, damaged = _parse(path)
    if damaged:
        logger.warning("%s: line %s cannot be read and is left out", path, ", ".join(map(str, damaged)))
    return records


def _parse(path: Path) -> tuple[list[dict[str, Any]], list[int]]:
    """Return the records, and the numbers of damaged lines; an incomplete last line is neither."""
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
    """Replace NaN and infinity, which JSON does not have, by None, at any depth.

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
    disk.put(part, path)


class MetricsWriter:
    """Writer of records to `metrics.jsonl`.

    A resumed run first drops the records that were written after its checkpoint, so that none occurs twice.

    Args:
        run_dir: run directory.
        first_step: step from which the run resumes.
        expected: number of `lines` at that step, if known.
    """

    def __init__(self, run_dir: Path, *, first_step: int, expected: int | None = None) -> None:
        self._path = run_dir / "metrics.jsonl"
        records, damaged = _parse(self._path)
        if damaged:
            # Whole or not at all; a damaged file is kept beside it.
            kept_as = self._path.rename(self._path.with_name("metrics.damaged.jsonl"))
            logger.warning("%s: line %s cannot be read; kept as %s", self._path, damaged, kept_as.name)
        kept = [record for record in records if record["step"] <= first_step]
        self.lines = len(kept)
        """Number of lines."""
        if expected is not None and self.lines < expected:
            logger.warning("%s: %d of %d lines are lost", self._path, expected - self.lines, expected)
        write_whole(self._path, "".join(json.dumps(finite(record)) + "\n" for record in kept))

    def write(self, split: str, step: int, values: dict[str, Any]) -> None:
        """Record values of a split at a step."""
        # Opened for each line: a full disk is then an error here, and no data wait in a buffer.
        with self._path.open("a") as lines:
            lines.write(json.dumps(finite({"step": step, "split": split, **values}), allow_nan=False) + "\n")
        self.lines += 1

    def sync(self) -> None:
        """Wait until all lines are on the disk, as a checkpoint that counts them needs."""
        with self._path.open("a") as lines:
            os.fsync(lines.fileno())
