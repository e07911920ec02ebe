"""A script from its command line to its exit code, with errors of one line."""

from __future__ import annotations

import logging
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from types import FrameType
from typing import NoReturn, TypeVar

from jaxvae import hosts, stores
from jaxvae.errors import InputError
from jaxvae.options.command_line import Config, parse
from jaxvae.packages import missing_named

C = TypeVar("C", bound=Config)


def run_script(
    main: Callable[[C], int],
    config_type: type[C],
    arguments: Sequence[str] | None = None,
    *,
    program: str | None = None,
) -> NoReturn:
    """Parse the options of `config_type`, call `main`, exit.

    The exit code is the value of `main`, 0 on success. With one line it is 2 on bad input and where a package is
    missing, 1 on an error of the system (such as a full disk) or the end of another process, 130 after Ctrl-C and 143
    after SIGTERM.

    Args:
        main: function of the options.
        config_type: class of the options.
        arguments: words of the command line; those of this process if not given.
        program: name of the program in its help; that of its file if not given.
    """
    _show_log()
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _stop)
    try:
        with missing_named(), stores.copies_of(parse(config_type, arguments, program=program)) as config:
            code = main(config)
        hosts.leave(code)
    except InputError as error:
        _exit(f"error: {error}", 2)
    except OSError as error:
        _exit(f"error: {error}", 1)
    except KeyboardInterrupt as stop:
        number = signal.Signals(stop.args[0] if stop.args else signal.SIGINT)
        _exit(f"stopped by {number.name}", 128 + number)
    except Exception as error:
        if not hosts.joined():
            raise
        if hosts.lost(error):
            _exit(f"error: another process has ended: {error}", 1)
        traceback.print_exc()
        hosts.leave(1, patience=hosts.LEAVING_SECONDS)


class _Line(logging.Formatter):
    """Format of a message, after its level if it is a warning or worse."""

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        return line if record.levelno < logging.WARNING else f"{record.levelname}: {line}"


def _show_log() -> None:
    """Print the warnings of every package, and what this one tells of its data."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Line())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("jaxvae").setLevel(logging.INFO)


def _stop(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt(number)


def _exit(line: str, code: int) -> NoReturn:
    print(" ".join(line.splitlines()), file=sys.stderr)  # a file's name may contain line breaks
    hosts.leave(code, patience=hosts.LEAVING_SECONDS)
