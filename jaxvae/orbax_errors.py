"""Errors of Orbax's threads, told once: by the one that the caller gets."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LOGGERS = ("absl", "asyncio")
"""Loggers that print a traceback for each thread that fails, and for each result that nobody asks for."""


@contextlib.contextmanager
def one_error(path: Path) -> Iterator[None]:
    """Raise one error where Orbax fails to write, that of the system if there is one, and print none of the others.

    Threads that are still under way fail later, some after the end of the block: what they say is then left out too.

    Args:
        path: folder that is written.

    Raises:
        OSError: an error of the system, such as a full disk.
    """
    held: list[logging.LogRecord] = []
    loggers, hook = [logging.getLogger(name) for name in LOGGERS], sys.unraisablehook

    def hold(record: logging.LogRecord) -> bool:
        others = record.exc_info is None or not ("orbax" in record.pathname or str(path) in str(record.exc_info))
        if not others:
            held.append(record)
        return others

    def leave_out(unraisable: Any) -> None:
        # What a write answers to a thread that has given up.
        if str(unraisable.exc_value) != "Event loop is closed":
            hook(unraisable)

    for logger in loggers:
        logger.addFilter(hold)
    sys.unraisablehook = leave_out
    try:
        yield
    except Exception as error:
        # Orbax's threads reword the system's errors.
        if code := re.search(r"os_error_code='(\d+)'", str(error)):
            raise OSError(int(code[1]), os.strerror(int(code[1])), str(path)) from error
        raise
    sys.unraisablehook = hook
    for logger in loggers:
        logger.removeFilter(hold)
    for record in held:
        logging.getLogger(record.name).handle(record)
