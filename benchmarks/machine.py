"""Machine and versions of a measurement, found without importing any framework."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

PACKAGES = ("jaxvae", "jax", "jaxlib", "flax", "optax", "numpyro", "torch", "pythae", "numpy")


def facts() -> dict[str, Any]:
    """Return command, date, commit, processor, accelerators and versions."""
    installed = {distribution.name: distribution.version for distribution in importlib.metadata.distributions()}
    return {
        "command": shlex.join(["python", *sys.argv]),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "commit": _output("git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"),
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "accelerators": _output("nvidia-smi", "--query-gpu=name", "--format=csv,noheader").splitlines(),
        "load_average": os.getloadavg()[0],
        "versions": {"python": platform.python_version()}
        | {name: installed[name] for name in PACKAGES if name in installed},
    }


def sentence(about: dict[str, Any]) -> str:
    """Describe the facts in a sentence."""
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    devices = ", ".join([f"{about['processor']}, {about['cores']} cores", *about["accelerators"]])
    return f"`{about['command']}` on {about['date']}, commit {about['commit']}: {devices}; {versions}."


def busy_seconds() -> float | None:
    """Return the busy seconds of all cores together since the machine started, over all processes."""
    stat = Path("/proc/stat")
    if not stat.exists():
        return None
    user, nice, system, _, _, irq, softirq, steal = map(int, stat.read_text().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _output(*command: str) -> str:
    if shutil.which(command[0]) is None:
        return ""
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
