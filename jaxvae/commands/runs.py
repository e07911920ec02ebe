"""List all runs under a folder, with the options that differ, their main numbers and age; compare some of them.

A table has a row for each run. `--compare A B` prints the options that differ between runs, beside their numbers, and
draws their curves into one picture.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path

from jaxvae.errors import InputError
from jaxvae.options.checks import check_file
from jaxvae.report import read_metrics
from jaxvae.report.figures import save_figure
from jaxvae.report.history import comparison
from jaxvae.report.tables import aligned_table
from jaxvae.runs.table import (
    AGE,
    RUN,
    STEP,
    Entry,
    cell,
    differing,
    known_column,
    main_numbers,
    matching,
    ordered,
    read_entry,
    read_runs,
    rows,
)
from jaxvae.stores.copies import FACTS


@dataclasses.dataclass(frozen=True)
class RunsConfig:
    """List all runs under a folder: the options that differ, main numbers, age; or compare some of them."""

    folder: Path = dataclasses.field(default=Path("runs"), metadata=FACTS)
    """Folder under which runs are sought."""
    sort: str = AGE
    """Column to sort by, the least first: an option, a number of summary.json, run, step or age."""
    reverse: bool = False
    """Put the greatest first."""
    filter: tuple[str, ...] = ()
    """Conditions, in quotes, that the runs shown meet, such as "preset=vae" "latent_dim<=10" "test_elbo>-110"."""
    columns: tuple[str, ...] = ()
    """Options and numbers to show; the options that differ and the main numbers if none is given."""
    compare: tuple[Path, ...] = dataclasses.field(default=(), metadata=FACTS)
    """Run directories, two or more, whose options, numbers and curves are compared instead."""
    out: Path = Path("comparison.png")
    """Picture of the curves that --compare draws."""

    def check(self) -> None:
        """Refuse values that are invalid for every folder."""
        if len(self.compare) == 1:
            raise InputError(f"compare: one run is given, {self.compare[0]}; name two or more")
        if self.compare:
            check_file("out", self.out)


def main(config: RunsConfig) -> int:
    """Print the table of all runs, or the comparison."""
    if config.compare:
        return compare([read_entry(run_dir) for run_dir in config.compare], config.out)
    found = read_runs(config.folder)
    if not found:
        print(f"no runs under {config.folder}")
        return 0
    entries = ordered(matching(found, config.filter), config.sort, reverse=config.reverse)
    asked = [known_column(found, name, "columns") for name in config.columns]
    # The column of steps shows how many there are to be.
    columns = asked or [name for name in (*differing(entries), *main_numbers(entries)) if name != "steps"]
    table = rows(entries, columns, now=time.time(), within=config.folder)
    print(aligned_table([RUN, *columns, STEP, AGE], table))
    return 0


def compare(entries: Sequence[Entry], path: Path) -> int:
    """Print the options that differ and the numbers, a column for each run, and draw the curves."""
    names = [str(entry.folder) for entry in entries]
    shown = [*differing(entries, absent_differs=True), *main_numbers(entries), STEP]
    print(aligned_table(["", *names], [[name, *(cell(entry, name) for entry in entries)] for name in shown]))
    histories = {str(entry.folder): read_metrics(entry.folder / "metrics.jsonl") for entry in entries}
    save_figure(comparison(histories), path)
    print(f"curves in {path}")
    return 0
