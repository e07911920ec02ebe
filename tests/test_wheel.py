"""The wheel holds the package with the explorer's page, and neither scripts nor tests."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel as an archive, built from a copy, because building leaves files behind."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in ("jaxvae", "experiments", "tests"):
        shutil.copytree(PROJECT / name, folder / "source" / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(PROJECT / name, folder / "source")
    options = ["--no-deps", "--quiet", "--disable-pip-version-check", "--wheel-dir", str(folder)]
    command = [sys.executable, "-m", "pip", "wheel", *options, str(folder / "source")]
    built = subprocess.run(command, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    (path,) = folder.glob("jaxvae-*.whl")
    with zipfile.ZipFile(path) as archive:
        yield archive


@pytest.mark.slow
def test_it_holds_every_file_of_the_package_and_nothing_else(wheel):
    files = {path for path in (PROJECT / "jaxvae").rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    found = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert found == {path.relative_to(PROJECT).as_posix() for path in files}
    assert {"jaxvae/explorer/page/app.js", "jaxvae/explorer/page/page.html", "jaxvae/py.typed"} <= found


@pytest.mark.slow
def test_it_installs_the_console_command(wheel):
    (entry_points,) = [name for name in wheel.namelist() if name.endswith("entry_points.txt")]
    assert "jaxvae = jaxvae.commands.console:main" in wheel.read(entry_points).decode()
