"""Rows in a page: each in its place, none twice."""

import pytest

from jaxvae.errors import InputError
from jaxvae.report.tables import markdown_table, put_row

PAGE = "# Title\n\n| a | b |\n|---|---|\n| [one](1) | 1 |\n| two | 2 |\n\nThe end.\n"


@pytest.mark.parametrize(
    ("name", "cells", "row"), [("one", ["[one](1)", "9"], 4), ("two", ["two", "9"], 5), ("three", ["three", "9"], 6)]
)
def test_a_row_is_put_in_its_place(tmp_path, name, cells, row):
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    put_row(page, name, cells)
    lines, before = page.read_text().splitlines(), PAGE.splitlines()
    assert lines[row] == f"| {' | '.join(cells)} |"
    rest = lines[:row] + lines[row + 1 :]
    assert rest == (before if name == "three" else before[:row] + before[row + 1 :])


def test_a_page_without_a_table_is_refused(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("words\n")
    with pytest.raises(InputError, match=r"results: .* holds no table"):
        put_row(page, "one", ["one"])


def test_what_is_no_number_is_a_dash_and_has_no_spread():
    rows = {
        "a": {"kl": None, "kl_std": None},
        "b": {"kl": 1.0, "kl_std": float("nan")},
        "c": {"kl": 2.0, "kl_std": 0.5},
    }
    table = markdown_table(rows, {"kl": ("KL", ".1f")}).splitlines()
    assert table[2:] == ["| a | - |", "| b | 1.0 |", "| c | 2.0 ± 0.5 |"]
