"""The command line of every script: options from a dataclass, one line for bad input."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence
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
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    try:
        sys.exit(main(parse(config_type)))
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


def parse(config_type: type[C], arguments: Sequence[str] | None = None) -> C:
    """Options from the command line, or from these arguments, checked."""
    # Imported here: only scripts need it, and only the `experiments` extra brings it.
    import tyro

    config = tyro.cli(config_type, args=arguments, config=(tyro.conf.OmitArgPrefixes,))
    config.check()
    return config
