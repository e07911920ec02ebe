"""Table of the runs under a folder: their options, numbers and age; sorted, filtered, compared."""

from __future__ import annotations

import json
import logging
import operator
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from jaxvae.errors import InputError, did_you_mean, first_line
from jaxvae.report import read_metrics
from jaxvae.runs.directory import read_options, read_summary

MAIN = ("test_elbo", "test_log_likelihood", "test_kl", "test_accuracy", "log_px")
"""Numbers that the table shows, where any run has them; the second only of runs without an ELBO."""
RUN, STEP, AGE = "run", "step", "age"
"""Columns of the table besides options and numbers."""
OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "!=": operator.ne,
    "=": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
}
logger = logging.getLogger(__name__)


class Entry(NamedTuple):
    """One run."""

    folder: Path
    options: Mapping[str, Any]
    """Options by name, but those of output and compute."""
    numbers: Mapping[str, Any]
    """Values of summary.json and evaluation.json by name."""
    step: int
    """Last step of which there is a line of metrics."""
    finished: bool
    changed: float
    """Time of its last line of metrics or summary, in seconds since 1970."""

    def value(self, name: str) -> Any:
        """Return an option, a number, the step or the time of the last change, by the name of the column."""
        own = {RUN: str(self.folder), STEP: self.step, AGE: -self.changed}
        return own.get(name, self.options.get(name, self.numbers.get(name)))


def read_runs(folder: Path) -> list[Entry]:
    """Read all runs under a folder; one that cannot be read is named in a warning and left out.

    Raises:
        InputError: there is no such folder.
    """
    if not folder.is_dir():
        raise InputError(f"folder: {folder} is no folder; name one with runs in it")
    return [entry for run_dir in run_dirs(folder) if (entry := _readable(run_dir)) is not None]


def run_dirs(folder: Path) -> Iterator[Path]:
    """Yield the run directories under a folder; those of single seeds belong to the run that holds them."""
    for place, folders, files in os.walk(folder):
        if "config.json" in files:
            yield Path(place)
            folders.clear()
        folders.sort()


def read_entry(run_dir: Path) -> Entry:
    """Read one run.

    Raises:
        InputError: there is no run.
    """
    summary, metrics = read_summary(run_dir), run_dir / "metrics.jsonl"
    options = read_options(run_dir)
    steps = [record["step"] for record in read_metrics(metrics)]
    files = [path for path in (run_dir / "config.json", metrics, run_dir / "summary.json") if path.exists()]
    changed = max((path.stat().st_mtime for path in files), default=0.0)
    numbers = {**_read_json(run_dir / "evaluation.json"), **summary}
    return Entry(run_dir, options, numbers, summary.get("steps", max(steps, default=0)), bool(summary), changed)


def differing(entries: Sequence[Entry], *, absent_differs: bool = False) -> list[str]:
    """Return the names of the options that have several values among the runs.

    Args:
        entries: runs.
        absent_differs: also name options that some of the runs do not have, because these made other choices.
    """
    names = dict.fromkeys(name for entry in entries for name in entry.options)

    def num_values(name: str) -> int:
        held = [entry.options[name] for entry in entries if name in entry.options]
        return len({text(value) for value in held}) + (absent_differs and len(held) < len(entries))

    return [name for name in names if num_values(name) > 1]


def matching(entries: Sequence[Entry], conditions: Iterable[str]) -> list[Entry]:
    """Return the runs that meet conditions, such as `preset=vae`, `latent_dim<=10` or `test_elbo>-110`.

    Raises:
        InputError: a condition has no such form, no run has its column, or it orders words.
    """
    kept = [*entries]
    for condition in conditions:
        match = re.fullmatch(r"([\w.-]+?)(<=|>=|!=|=|<|>)(.*)", condition)
        if match is None:
            raise InputError(f"filter: {condition!r} is no condition; write NAME=VALUE, or !=, <, <=, > and >=")
        name, sign, wanted = match.groups()
        name = known_column(entries, name, "filter")
        kept = [entry for entry in kept if _holds(entry.value(name), sign, wanted, condition)]
    return kept


def ordered(entries: Sequence[Entry], column: str, *, reverse: bool = False) -> list[Entry]:
    """Return the runs in the order of a column, the least first; those without a value come last.

    Raises:
        InputError: no run has such a column.
    """
    column = known_column(entries, column, "sort")
    held = [entry for entry in entries if entry.value(column) is not None]
    numbers = all(_number(entry.value(column)) is not None for entry in held)

    def key(entry: Entry) -> Any:
        return entry.value(column) if numbers else text(entry.value(column))

    return sorted(held, key=key, reverse=reverse) + [entry for entry in entries if entry.value(column) is None]


def known_column(entries: Iterable[Entry], name: str, option: str) -> str:
    """Return the name of a column as the runs have it.

    Raises:
        InputError: no run has it.
    """
    name = name.replace("-", "_")
    known = {RUN, STEP, AGE}.union(*({*entry.options, *entry.numbers} for entry in entries))
    if name not in known:
        hint = did_you_mean(name, known)
        raise InputError(f"{option}: no run has {name!r}{hint}; name an option, or a number of summary.json")
    return name


def main_numbers(entries: Sequence[Entry]) -> list[str]:
    """Return the names of the main numbers that any of the runs has."""
    no_bound = any(entry.numbers and "test_elbo" not in entry.numbers for entry in entries)
    names = [name for name in MAIN if name != "test_log_likelihood" or no_bound]
    return [name for name in names if any(entry.numbers.get(name) is not None for entry in entries)]


def rows(entries: Sequence[Entry], columns: Sequence[str], *, now: float, within: Path) -> list[list[str]]:
    """Return the cells of the table, a row for each run: its folder, these columns, its step and age."""

    def cells(entry: Entry) -> list[str]:
        step = f"{entry.step}" if entry.finished else f"{entry.step} of {entry.options.get('steps', '?')}"
        name = "." if entry.folder == within else str(entry.folder.relative_to(within))
        return [name, *(cell(entry, column) for column in columns), step, age(now - entry.changed)]

    return [cells(entry) for entry in entries]


def cell(entry: Entry, column: str) -> str:
    """Return a value for a person; a number has two decimals and, over several seeds, its standard deviation."""
    value, spread = entry.value(column), entry.numbers.get(f"{column}_std")
    if column in entry.options or not isinstance(value, float):
        return text(value)
    return f"{value:.2f}" + (f" ± {spread:.2f}" if isinstance(spread, float) else "")


def text(value: Any) -> str:
    """Return the plain value of an option as a person writes it.

    >>> [text(value) for value in (1.0, 1e-4, [500, 20], True, None, {"kind": "critic", "every": 1})]
    ['1', '0.0001', '500 20', 'true', '-', 'critic']
    """
    if value is None:
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return " ".join(map(text, value)) or "none"
    if isinstance(value, Mapping):
        return text(value.get("kind"))
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def age(seconds: float) -> str:
    """Return a time span in its largest unit.

    >>> [age(seconds) for seconds in (5, 200, 7300, 3 * 86400)]
    ['5 s', '3 min', '2 h', '3 d']
    """
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


def _readable(run_dir: Path) -> Entry | None:
    try:
        return read_entry(run_dir)
    except (InputError, OSError, ValueError, TypeError, KeyError) as error:
        logger.warning("%s cannot be read and is left out (%s)", run_dir, first_line(error))
        return None


def _read_json(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text()))
    except (OSError, ValueError):
        return {}


def _holds(value: Any, sign: str, wanted: str, condition: str) -> bool:
    number, limit = _number(value), _number(wanted)
    if number is not None and limit is not None:
        return OPERATORS[sign](number, limit)
    if value is None and sign != "!=":
        return wanted in ("-", "None") and sign == "="
    if sign not in ("=", "!="):
        raise InputError(f"filter: {condition!r} orders words; use = or !=, or compare with a number")
    return OPERATORS[sign](text(value), wanted)


def _number(value: Any) -> float | None:
    if isinstance(value, bool | None | list):
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
