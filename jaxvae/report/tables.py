"""Tables for the terminal and for pages."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from jaxvae.errors import InputError


def markdown_table(rows: Mapping[str, Mapping[str, float | None]], columns: Mapping[str, tuple[str, str]]) -> str:
    """Format one line for each row; a missing value, None or NaN is a dash, and a `NAME_std` is appended after ±.

    Args:
        rows: values by name, by the name of each row.
        columns: title and format of each column, by the name of its value.

    >>> print(markdown_table({"vae": {"kl": 6.28, "kl_std": 0.1}}, {"kl": ("KL", ".1f"), "mi": ("MI", ".1f")}))
    | | KL | MI |
    |---|---:|---:|
    | vae | 6.3 ± 0.1 | - |
    """

    def written(number: float | None, form: str) -> str:
        return "" if number is None or math.isnan(number) else f"{number:{form}}"

    def cell(row: Mapping[str, float | None], name: str) -> str:
        form = columns[name][1]
        value, spread = (written(row.get(key), form) for key in (name, f"{name}_std"))
        return f"{value} ± {spread}" if value and spread else value or "-"

    head = "| | " + " | ".join(title for title, _ in columns.values()) + " |"
    lines = ["| " + " | ".join([title, *(cell(row, name) for name in columns)]) + " |" for title, row in rows.items()]
    return "\n".join([head, "|---|" + "---:|" * len(columns), *lines])


def aligned_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Format cells in columns for the terminal, the first to the left and all others to the right.

    >>> print(aligned_table(["run", "step"], [["a", "10"], ["long", "9"]]))
    run   step
    a       10
    long     9
    """
    lines = [head, *rows]
    widths = [max(map(len, column)) for column in zip(*lines)]
    aligned = [
        [cell.rjust(width) if number else cell.ljust(width) for number, (cell, width) in enumerate(zip(line, widths))]
        for line in lines
    ]
    return "\n".join("  ".join(line).rstrip() for line in aligned)


def bits_per_dimension(nats: float, shape: tuple[int, ...]) -> float:
    """Convert a log-probability in nats to its negative in bits per value of an example.

    >>> round(bits_per_dimension(-103.3, (28, 28, 1)), 2)
    0.19
    """
    return -nats / (math.prod(shape) * math.log(2))


def has_table(page: Path) -> bool:
    """Return True if a page has a table for `put_row`."""
    return any(line.startswith("|") for line in page.read_text().splitlines())


def put_row(page: Path, name: str, cells: Sequence[str]) -> None:
    """Write a row into the table of a markdown page: in place of the row with its name, or below the last one.

    Raises:
        InputError: the page holds no table, see `has_table`.
    """
    lines = page.read_text().splitlines()
    rows = [number for number, line in enumerate(lines) if line.startswith("|")]
    if not rows:
        raise InputError(f"results: {page} holds no table to put a row in")
    row = "| " + " | ".join(cells) + " |"
    for number in rows:
        if lines[number].startswith((f"| {name} |", f"| [{name}]")):
            lines[number] = row
            break
    else:
        lines.insert(rows[-1] + 1, row)
    page.write_text("\n".join(lines) + "\n")
