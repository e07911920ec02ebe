"""Lock of a run directory: a second process that trains there is refused, with the holder's name."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from jaxvae import hosts
from jaxvae.errors import InUseError

NAME = "lock"
NO_LOCKS_HERE = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
logger = logging.getLogger(__name__)


@contextlib.contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Lock a folder against other trainings until the end of the block or of the process.

    Where several processes train together, the main one holds the lock for all. Reading needs no lock.

    Raises:
        InUseError: another process holds it.
    """
    path = folder / NAME
    file, holder = _take(path) if hosts.is_main() else (None, None)
    if hosts.any_process(holder is not None):
        raise InUseError(
            f"run-dir: {folder} is being trained by {holder or 'others'}; wait for its end, or name another --run-dir"
        )
    try:
        yield
    finally:
        if file is not None:
            with contextlib.suppress(OSError):
                path.unlink()
            os.close(file)


def _take(path: Path) -> tuple[int | None, str | None]:
    """Lock the file; return its descriptor, or the holder of the lock."""
    try:
        import fcntl
    except ImportError:  # Windows
        return None, None
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            # The system's lock, which is released at any end of the process.
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return None, _read(path) or "another process"
        except OSError as error:
            if error.errno not in NO_LOCKS_HERE:
                raise
            logger.warning("run-dir: %s knows no locks; see to it that nothing else trains there", path.parent)
        if _is_still(path, file):
            with contextlib.suppress(OSError):  # a full disk: the holder stays unnamed
                os.ftruncate(file, 0)
                os.write(file, f"process {os.getpid()} on {socket.gethostname()}".encode())
            return file, None
        os.close(file)  # the holder has just ended, and removed the file


def _is_still(path: Path, file: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file))
    except FileNotFoundError:
        return False


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""
