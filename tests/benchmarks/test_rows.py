"""Cost of a variant in code: no hub names a row, and a row's own files are few."""

import pytest
import rows


@pytest.fixture(scope="module")
def table():
    return rows.table()


@pytest.mark.slow
def test_no_hub_names_a_variant(table):
    known = {"auto", "kl_only", "conv_vae", "token_vae"}  # chosen by the data, or explained where a run collapses
    assert {name: hubs for name, _, _, hubs in table if hubs and name not in known} == {}


@pytest.mark.slow
def test_rows_without_files_of_their_own_and_with_one(table):
    files = {name: own for name, own, _, _ in table}
    assert files["vae"] == files["conditional_vae"] == 0
    assert 0 < files["planar_vae"] <= 3


def test_lines_of_code_are_neither_docstrings_nor_comments(tmp_path):
    (tmp_path / "a.py").write_text('"""Words.\n\nMore."""\n\n# why\nx = (\n    1\n)\n')
    assert rows.lines_of_code(tmp_path / "a.py") == 3
