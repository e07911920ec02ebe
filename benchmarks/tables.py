"""Markdown tables of measurements, for the screen, and between two markers of a page."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from contenders import CONTENDERS, Case
from rounds import median_ratio
from train_script import ScriptRun

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
FIRST_STEP, MEMORY = "first step, cold / warm (s)", "peak memory (GB)"


class Measured(NamedTuple):
    """Measurements of one contender on one case."""

    rates: list[float]
    """Images per second, one for each round."""
    starts: list[float]
    """Seconds to the first step: without cached programs, then with them."""
    peak_bytes: int


class CaseResult(NamedTuple):
    """Measurements of all contenders on one case."""

    case: Case
    measured: dict[str, Measured]
    left_out: dict[str, str]
    """Reasons of the contenders that did not run, by name."""
    cores_taken: float | None = None
    """Number of cores that other programs kept busy meanwhile, if known."""


def ratio(measured: Mapping[str, Measured], name: str) -> float | None:
    """Return the speed of jaxvae over that of this contender, for the same work."""
    against = CONTENDERS[name].against
    if against not in measured or CONTENDERS[name].module == "jaxvae_run":
        return None
    return median_ratio(measured[against].rates, measured[name].rates)


def case_table(result: CaseResult) -> str:
    """Format a heading, and a row for each contender."""
    rows = [
        (
            CONTENDERS[name].description,
            f"{statistics.median(one.rates):,.0f}",
            f"{min(one.rates):,.0f} to {max(one.rates):,.0f}",
            _number(ratio(result.measured, name), ".2f"),
            _cold_and_warm(one.starts),
            f"{one.peak_bytes / 1e9:.2f}",
        )
        for name, one in result.measured.items()
    ]
    head = ("", "images/s", "lowest to highest", "jaxvae is faster by", FIRST_STEP, MEMORY)
    reasons = [f"Left out: {CONTENDERS[name].description} ({reason})." for name, reason in result.left_out.items()]
    if result.cores_taken is not None:
        reasons.append(f"Other programs kept {result.cores_taken:.1f} cores busy meanwhile.")
    return "\n\n".join([f"### {str(result.case)[0].upper()}{str(result.case)[1:]}", table(head, rows), *reasons])


def script_table(runs: Mapping[str, list[ScriptRun]]) -> str:
    """Format the measurements of train.py."""
    head = ("`experiments/train.py`", FIRST_STEP, "whole run, warm (s)", MEMORY)
    rows = [
        (
            f"`{arguments}`",
            _cold_and_warm([run.seconds_to_first_step for run in (cold, *warm)]),
            _number(_median([run.seconds for run in warm]), ".1f"),
            f"{max(run.peak_bytes for run in (cold, *warm)) / 1e9:.2f}",
        )
        for arguments, (cold, *warm) in runs.items()
    ]
    return table(head, rows)


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Format a Markdown table whose first column alone is text.

    >>> print(table(("", "size"), [("cat", "4"), ("dog", "25")]))
    |  | size |
    | --- | ---: |
    | cat | 4 |
    | dog | 25 |
    """
    rules = ("---", *["---:"] * (len(head) - 1))
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rules, *rows))


def replace_between_markers(page: Path, text: str, begin: str = BEGIN, end: str = END) -> None:
    """Replace the text between a page's two markers.

    Raises:
        ValueError: the page does not have both, once each and in this order.
    """
    before, *middle = page.read_text().split(begin)
    after = middle[0].split(end)[1:] if len(middle) == 1 else []
    if len(after) != 1:
        raise ValueError(f"{page}: must hold {begin} and then {end}, once each")
    page.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after[0]}")


def _cold_and_warm(seconds: list[float]) -> str:
    return " / ".join(_number(value, ".1f") for value in (seconds[0], _median(seconds[1:])) if value is not None)


def _median(values: list[float]) -> float | None:
    return statistics.median(values) if values else None


def _number(value: float | None, form: str) -> str:
    return "" if value is None else f"{value:{form}}"
