"""The script of docs/python.md, with networks of Equinox on two devices, killed and run again."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from jaxvae.checkpoint import Checkpoints

PAGE = Path(__file__).resolve().parents[2] / "docs" / "python.md"
(SCRIPT,) = re.findall(r"```python\n# own.py\n(.*?)```", PAGE.read_text(), re.DOTALL)


def start(folder):
    folder.mkdir(exist_ok=True)
    (folder / "own.py").write_text(SCRIPT)
    strict = os.environ | {"PYTHONWARNINGS": "error"}
    return subprocess.Popen([sys.executable, "own.py"], cwd=folder, env=strict, stdout=subprocess.PIPE, text=True)


def trained(folder, process):
    assert process.communicate(timeout=300)[0] == "(3, 8, 8, 1)\n"
    assert process.returncode == 0
    return json.loads((folder / "runs" / "own" / "summary.json").read_text())["params_sha256"]


def test_it_is_short():
    assert len([line for line in SCRIPT.splitlines() if line.strip()]) <= 15


@pytest.mark.slow
def test_killed_and_run_again_it_ends_as_if_it_had_not_been(tmp_path):
    unbroken = start(tmp_path / "unbroken")  # beside the other
    broken, checkpoints = start(tmp_path / "broken"), Checkpoints(tmp_path / "broken" / "runs" / "own" / "checkpoints")
    while broken.poll() is None and not checkpoints.steps():
        time.sleep(0.02)
    broken.kill()
    broken.communicate()
    assert broken.returncode == -9
    assert 0 < max(checkpoints.steps()) < 1000
    again = start(tmp_path / "broken")
    assert trained(tmp_path / "broken", again) == trained(tmp_path / "unbroken", unbroken)
