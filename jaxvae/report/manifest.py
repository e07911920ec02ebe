"""Manifest of a run: versions, devices, settings of JAX, commit."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import jax

from jaxvae.report.metrics import write_json

PACKAGES = ("jaxvae", "jax", "jaxlib", "flax", "optax", "orbax-checkpoint", "numpy", "pillow", "tensorflow-datasets")
CHECKOUT = Path(__file__).resolve().parents[2]
"""Folder of this package's checkout, where it is one."""
SETTINGS = (
    "jax_default_matmul_precision",
    "jax_default_prng_impl",
    "jax_enable_x64",
    "jax_threefry_partitionable",
)
"""Settings of JAX that change numbers."""


def manifest() -> dict[str, Any]:
    """Return versions, devices, machine, settings and git commit, as far as they are available."""
    return {
        "command": sys.argv,
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "platform": platform.platform(),
        # On a CPU the number of threads and the instruction set determine the order of sums.
        "cpu": {"model": _cpu_model(), "cores": _num_cores()},
        "backend": jax.default_backend(),
        "devices": [device.device_kind for device in jax.devices()],
        "processes": jax.process_count(),
        "jax": {name: getattr(jax.config, name, None) for name in SETTINGS},
        "xla_flags": os.environ.get("XLA_FLAGS", ""),
        "git_commit": _git("rev-parse", "HEAD"),
        "git_dirty": bool(_git("status", "--porcelain", "--untracked-files=no")),
    }


def write_manifest(path: Path, **facts: Any) -> None:
    """Write the manifest, with these facts, of a new run; or append that of a resumed run, if it differs.

    The first manifest stays at the top level; the rest is a list under `later`.
    """
    now = json.loads(json.dumps({**manifest(), **facts}))
    try:
        first = dict(json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        write_json(path, now)
        return
    later = first.pop("later", [])
    latest = {key: value for entry in later for key, value in entry.items()}
    changed = {key: now[key] for key in now if {**first, **latest}.get(key) != now[key] and key not in facts}
    if set(changed) - {"command"}:
        later.append(changed)
    write_json(path, {**first, **facts, **({"later": later} if later else {})})


def differences(there: Any, here: Any, name: str = "") -> dict[str, tuple[Any, Any]]:
    """Return the differences between two manifests or parts of them, by dotted name.

    >>> differences({"a": 1, "b": {"c": 2}}, {"a": 1, "b": {"c": 3}, "d": 4})
    {'b.c': (2, 3), 'd': (None, 4)}
    """
    if not (isinstance(there, dict) and isinstance(here, dict)):
        return {} if there == here else {name: (there, here)}
    found: dict[str, tuple[Any, Any]] = {}
    for key in [*there, *(key for key in here if key not in there)]:
        found |= differences(there.get(key), here.get(key), f"{name}.{key}" if name else key)
    return found


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _num_cores() -> int | None:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _git(*arguments: str) -> str | None:
    """Run git in the checkout of this package, if it is one, and return its output."""
    if not (CHECKOUT / ".git").exists():  # an installed package may lie in the checkout of another project
        return None
    try:
        answer = subprocess.run(["git", "-C", str(CHECKOUT), *arguments], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None
