"""Tables for people: markdown from rows of numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping


def markdown_table(rows: Mapping[str, Mapping[str, float]], columns: Mapping[str, tuple[str, str]]) -> str:
    """One line for each row; a value that is not there, or NaN, is a dash, and one with a `NAME_std` says so.

    Args:
        rows: what each row is called, and its values by name.
        columns: by a value's name, the column's title and the value's format.

    >>> print(markdown_table({"vae": {"kl": 6.28, "kl_std": 0.1}}, {"kl": ("KL", ".1f"), "mi": ("MI", ".1f")}))
    | | KL | MI |
    |---|---:|---:|
    | vae | 6.3 ± 0.1 | - |
    """

    def cell(row: Mapping[str, float], name: str) -> str:
        value, form = row.get(name, math.nan), columns[name][1]
        spread = f" ± {row[f'{name}_std']:{form}}" if f"{name}_std" in row else ""
        return "-" if math.isnan(value) else f"{value:{form}}{spread}"

    head = "| | " + " | ".join(title for title, _ in columns.values()) + " |"
    lines = ["| " + " | ".join([title, *(cell(row, name) for name in columns)]) + " |" for title, row in rows.items()]
    return "\n".join([head, "|---|" + "---:|" * len(columns), *lines])
