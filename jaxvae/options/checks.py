"""Checks of the scripts' options, with messages of one line: the option, its value, the remedy."""

from __future__ import annotations

import errno
import math
from collections.abc import Collection
from pathlib import Path
from typing import Any

from jaxvae.errors import InputError


def check(condition: bool, name: str, value: Any, wanted: str) -> None:
    """Refuse an option's value where a condition does not hold."""
    if not condition:
        raise InputError(f"{name.replace('_', '-')}: must be {wanted}, got {value}")


def check_at_least(least: float, name: str, value: float | None) -> None:
    """Refuse a number below the least, infinity and NaN; None is allowed."""
    check(value is None or least <= value < math.inf, name, value, f"at least {least}")


def check_seed(name: str, seed: int, num: int = 1) -> None:
    """Refuse a seed that, with the next `num - 1` seeds, does not fit into 32 bits."""
    check(0 <= seed <= 2**32 - num, name, seed, f"from 0 to {2**32 - num}")


def check_folder(name: str, folder: Path | None) -> None:
    """Refuse a folder that cannot be made, because a part of its path is a file."""
    for place in (folder, *folder.parents) if folder else ():
        try:
            if not place.is_dir() and place.lstat():
                raise InputError(f"{name}: {place} is a file; name a folder")
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENOTDIR):
                raise InputError(f"{name}: {error.strerror}: {place}; name another folder") from error


def check_new_file(name: str, path: Path) -> None:
    """Refuse a file that exists, or that cannot be written."""
    check_file(name, path)
    if path.exists():
        raise InputError(f"{name}: {path} exists; name another file, or move it away")


def check_output(name: str, path: Path, ends: Collection[str], *, overwrite: bool) -> None:
    """Refuse a file of a kind that is not written, and one that exists unless it is to be replaced."""
    if path.suffix.lower() not in ends:
        raise InputError(f"{name}: {path} is of a kind that is not written here; end its name in {' or '.join(ends)}")
    check_file(name, path)
    if path.exists() and not overwrite:
        raise InputError(f"{name}: {path} exists; name another file, or give --overwrite")


def check_file(name: str, path: Path | None) -> None:
    """Refuse a file that cannot be written, because it is a folder, or a part of its path is a file."""
    if path is not None:
        if path.is_dir():
            raise InputError(f"{name}: {path} is a folder; name a file in it")
        check_folder(name, path.parent)
