"""Metrics over a run: lines of JSON, and TensorBoard."""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import Any


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """All records of a metrics file; a last line torn by a crash is left out."""
    records = []
    for line in path.read_text().splitlines() if path.exists() else []:
        try:
            records.append(json.loads(line))
        except json.JSONDecodeError:
            break
    return records


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file whole or not at all."""
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(value, indent=2) + "\n")
    part.replace(path)


class MetricsWriter:
    """Appends records to `metrics.jsonl`, and their numbers to TensorBoard if wanted.

    A resumed run first drops what the interrupted one wrote after its checkpoint, so no record stands twice.
    """

    def __init__(self, run_dir: Path, *, first_step: int, tensorboard: bool) -> None:
        path = run_dir / "metrics.jsonl"
        kept = [record for record in read_metrics(path) if record["step"] <= first_step]
        path.write_text("".join(json.dumps(record) + "\n" for record in kept))
        self._lines = path.open("a", buffering=1)
        self._board: Any = None
        if tensorboard:
            from tensorboardX import SummaryWriter

            self._board = SummaryWriter(str(run_dir / "tensorboard"), purge_step=first_step + 1)

    def write(self, split: str, step: int, values: dict[str, Any]) -> None:
        """Record values of a split at a step; TensorBoard gets the scalars among them."""
        self._lines.write(json.dumps({"step": step, "split": split, **values}) + "\n")
        if self._board is not None:
            for name, value in values.items():
                if isinstance(value, (int, float)):
                    self._board.add_scalar(f"{split}/{name}", value, step)

    def __enter__(self) -> MetricsWriter:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._lines.close()
        if self._board is not None:
            self._board.close()
