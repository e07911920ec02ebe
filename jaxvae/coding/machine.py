"""Fingerprint of all that networks' numbers depend on: another machine or version may differ in the last digit."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import platform
import zlib
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxvae.errors import InputError
from jaxvae.types import Params

PACKAGES = ("jaxvae", "jax", "jaxlib", "numpy", "scipy")
SETTINGS = ("jax_default_matmul_precision", "jax_enable_x64")


def fingerprint() -> dict[str, str]:
    """Return versions, device, processor and settings by name."""
    return {
        **{name: _version(name) for name in PACKAGES},
        "device": jax.devices()[0].device_kind,
        "processor": _processor(),
        **{name: str(getattr(jax.config, name, None)) for name in SETTINGS},
        "XLA_FLAGS": os.environ.get("XLA_FLAGS", ""),
    }


def check_same(there: dict[str, str]) -> None:
    """Refuse a file that was written where numbers may differ.

    Raises:
        InputError: the fingerprint there is another than here.
    """
    here = fingerprint()
    for name in [*there, *here]:
        if there.get(name) != here.get(name):
            raise InputError(
                f"file: was written with {name} {there.get(name)!r}, here it is {here.get(name)!r}, and the networks' "
                "numbers may differ; decompress it as it was written"
            )


def digest(params: Params) -> str:
    """Return a digest of parameters: their names, types, shapes and values."""
    value = hashlib.sha256()
    for path, leaf in jax.tree_util.tree_leaves_with_path(params):
        array = np.asarray(leaf)
        value.update(f"{jax.tree_util.keystr(path)} {array.dtype} {array.shape}".encode())
        value.update(np.ascontiguousarray(array).tobytes())
    return value.hexdigest()[:32]


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:  # run in a clone
        return "unknown"


def _processor() -> str:
    """Return the processor's model and a checksum of its features, for which XLA compiles."""
    known: dict[str, Any] = {}
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            name, _, value = line.partition(":")
            known.setdefault(name.strip(), value.strip())
    except OSError:
        pass
    features = known.get("flags", known.get("Features", ""))
    return f"{known.get('model name', platform.processor() or platform.machine())} {zlib.crc32(features.encode()):08x}"
