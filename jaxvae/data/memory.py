"""Comparison of this machine's memory with the sizes of files, before they are read."""

from __future__ import annotations

import os
from pathlib import Path

from jaxvae.errors import InputError

_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
"""Files that contain a container's limit."""


def machine_memory() -> int:
    """Return the bytes of memory of this machine, or the limit of its container."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return min([memory, *(limit for file in map(Path, _LIMITS) if (limit := _limit(file)) is not None)])


def check_fits(what: str, num_bytes: int, remedy: str) -> None:
    """Refuse data that need more memory than there is.

    Args:
        what: description of the data.
        num_bytes: bytes that they need.
        remedy: remedy for the message.

    Raises:
        InputError: there is less memory.
    """
    if num_bytes > (memory := machine_memory()):
        raise InputError(f"{what} takes {gigabytes(num_bytes)}, this machine has {gigabytes(memory)}; {remedy}")


def gigabytes(num_bytes: int) -> str:
    """Format a number of bytes.

    >>> gigabytes(60_000**2 * 3)
    '10.8 GB'
    """
    return f"{num_bytes / 1e9:,.1f} GB"


def _limit(file: Path) -> int | None:
    try:
        return int(file.read_text())
    except (OSError, ValueError):  # there is no such file, or it contains "max"
        return None
