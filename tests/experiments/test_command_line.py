"""The scripts as a person runs them: help, near misses, one line for bad input and exit code 2."""

import subprocess
import sys
from pathlib import Path

import pytest

EXPERIMENTS = Path(__file__).resolve().parents[2] / "experiments"


def run(script, *arguments, cwd):
    return subprocess.run(
        [sys.executable, str(EXPERIMENTS / f"{script}.py"), *arguments], cwd=cwd, capture_output=True, text=True
    )


@pytest.mark.slow
def test_a_script_shows_its_help(tmp_path):
    """In a process of its own; tests/options and tests/commands read all help in the tests' process."""
    result = run("sample", "--help", cwd=tmp_path)
    assert result.returncode == 0
    assert "--run-dir" in result.stdout


@pytest.mark.slow
def test_bad_input_is_one_line_and_exit_code_two(tmp_path):
    """In a process of its own; tests/errors tries every mistake, in the tests' process."""
    result = run("train", "--dataset", "minst", cwd=tmp_path)
    assert result.returncode == 2
    assert result.stderr.startswith("error: dataset: 'minst' is neither one of ")
    assert "(did you mean 'mnist'?)" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_train_with_the_fewest_options(tmp_path):
    result = run("train", "--steps", "20", "--hidden", "8", "--no-tensorboard", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    (run_dir,) = (tmp_path / "runs").iterdir()
    assert (run_dir / "summary.json").exists()
    assert "images/s" in result.stderr
