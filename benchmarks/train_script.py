"""Measurement of `experiments/train.py` in a separate process: time to its first step, and memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

SCRIPT = Path(__file__).resolve().parents[1] / "experiments" / "train.py"


class ScriptRun(NamedTuple):
    """Measurements of one call of the script."""

    seconds_to_first_step: float
    """Seconds from the start of the process to the first step, with imports, data and compilation."""
    seconds: float
    """Seconds to the end of the process, with evaluation, checkpoint and figures."""
    peak_bytes: int


def run_script(arguments: Sequence[str], cache: Path) -> ScriptRun:
    """Call train.py with a cache folder for compiled programs.

    Raises:
        RuntimeError: it fails; the message is its last line.
    """
    environment = {
        **os.environ,
        "JAX_COMPILATION_CACHE_DIR": str(cache),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.1",
    }
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as log:
        begin = time.time()
        command = [sys.executable, str(SCRIPT), "--run-dir", f"{folder}/run", *arguments]
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        _, status, usage = os.wait4(process.pid, 0)
        end = time.time()
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            log.seek(0)
            raise RuntimeError(f"{SCRIPT.name}: {log.read().strip().splitlines()[-1]}")
        summary = json.loads(Path(folder, "run", "summary.json").read_text())
    unit = 1 if sys.platform == "darwin" else 1024
    return ScriptRun(summary["first_run_at"] - begin, end - begin, usage.ru_maxrss * unit)
