"""The command line of every script: options from a dataclass, one line for bad input."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import NoReturn, Protocol, TypeVar

from jaxvae.types import InputError


class Config(Protocol):
    """A dataclass of options."""

    def check(self) -> None:
        """Raise an InputError where an option makes no sense."""
        ...


C = TypeVar("C", bound=Config)


def run_script(main: Callable[[C], int], config_type: type[C]) -> NoReturn:
    """Parse the options of `config_type`, call `main`, exit: 0 when all went well, 2 with one line on bad input."""
    # Imported here: only scripts need it, and only the `experiments` extra brings it.
    import tyro

    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    try:
        config = tyro.cli(config_type, config=(tyro.conf.OmitArgPrefixes,))
        config.check()
        sys.exit(main(config))
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
