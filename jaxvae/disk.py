"""Files and folders that survive a power loss: they are on the disk before a name that readers trust."""

from __future__ import annotations

import errno
import os
from pathlib import Path

NO_SYNC_HERE = (errno.EINVAL, errno.ENOTSUP)
"""Errors of file systems that cannot sync a folder."""
ON_WINDOWS = os.name == "nt"
"""There a file must be open for writing, and a folder cannot be opened."""


def sync(path: Path) -> None:
    """Wait until a file's content, or the names in a folder, are on the disk.

    Raises:
        OSError: the disk cannot keep it.
    """
    if ON_WINDOWS and path.is_dir():
        return
    descriptor = os.open(path, os.O_RDWR if ON_WINDOWS else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if not (error.errno in NO_SYNC_HERE and path.is_dir()):
            raise
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make a folder, and its parents, whose names are then on the disk; one that exists is left as it is."""
    new = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in reversed(new):
        sync(path.parent)


def put(part: Path, path: Path) -> None:
    """Give a complete file or folder its name: content first, then the name, both on the disk at the end."""
    for inner in part.rglob("*"):
        sync(inner)
    sync(part)
    part.replace(path)
    sync(path.parent)
