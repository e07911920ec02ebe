"""Tables for people: markdown from rows of numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from jaxvae.types import InputError


def markdown_table(rows: Mapping[str, Mapping[str, float | None]], columns: Mapping[str, tuple[str, str]]) -> str:
    """One line for each row; a value that is not there, None or NaN is a dash, and one with a `NAME_std` says so.

    Args:
        rows: what each row is called, and its values by name.
        columns: by a value's name, the column's title and the value's format.

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


def bits_per_dimension(nats: float, shape: tuple[int, ...]) -> float:
    """Minus a log-probability in nats, as bits for each of an example's values.

    >>> round(bits_per_dimension(-103.3, (28, 28, 1)), 2)
    0.19
    """
    return -nats / (math.prod(shape) * math.log(2))


def has_table(page: Path) -> bool:
    """Whether `put_row` finds its place in a page."""
    return any(line.startswith("|") for line in page.read_text().splitlines())


def put_row(page: Path, name: str, cells: Sequence[str]) -> None:
    """Write a row into the table of a markdown page: in the place of the row that names it, or below the last one.

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
