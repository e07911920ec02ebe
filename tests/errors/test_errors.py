"""Every row of the table, through the real parser and main of the script: one line, exit code 2, nothing touched."""

import hashlib
import re
import runpy
import shlex
import sys
from pathlib import Path

import pytest

from table import PAGE, TABLE, page

EXPERIMENTS = Path(__file__).resolve().parents[2] / "experiments"
ROWS = [row for rows in TABLE.values() for row in rows]


def contents(folder):
    """Every path with the digest of what is in it."""
    return {path: path.is_file() and hashlib.sha256(path.read_bytes()).digest() for path in folder.rglob("*")}


@pytest.fixture
def refuse(tmp_path, monkeypatch, capsys):
    """Run a command in an empty folder, as a person would; the one line that it answers."""
    monkeypatch.chdir(tmp_path)

    def call(command, files=lambda folder: None):
        files(tmp_path)
        before = contents(tmp_path)
        script, *arguments = shlex.split(command)
        # No search for a cluster, of which a process that has begun to compute cannot become a part.
        alone = ["--num-processes", "1"] if script == "train" and "--num-processes" not in arguments else []
        monkeypatch.setattr(sys, "argv", [f"{script}.py", *arguments, *alone])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            runpy.run_path(str(EXPERIMENTS / f"{script}.py"), run_name="__main__")
        out, err = capsys.readouterr()
        assert (stop.value.code, out) == (2, "")
        assert contents(tmp_path) == before
        assert err.startswith("error: ")
        assert err.endswith("\n")
        assert len(err.splitlines()) == 1
        return err.removeprefix("error: ").removesuffix("\n")

    return call


@pytest.mark.slow
@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.wrong}: {row.command}")
def test_bad_input_is_answered_in_one_line_and_nothing_is_touched(refuse, row):
    pattern = ".+".join(map(re.escape, row.says.split("…")))
    assert re.fullmatch(pattern, refuse(row.command, row.files))


def test_the_page_is_the_table():
    assert PAGE.read_text() == page(), "write it again: python tests/errors/table.py"


def test_rows_differ():
    assert len({(row.wrong, row.command) for row in ROWS}) == len(ROWS)
