"""Progress of slow work: a bar for a loop, a line for other work."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Iterator
from typing import TypeAlias

from jaxvae import hosts
from jaxvae.evaluation import Bar

Bars: TypeAlias = Callable[[str], Bar]
"""Function from the name of a loop to the wrapper of its blocks."""


def named_bar(name: str) -> Bar:
    """Return a progress bar over blocks of examples."""
    from tqdm import tqdm

    return functools.partial(tqdm, desc=name, unit="block", leave=False)


def say(line: str) -> None:
    """Print a line, once for all processes."""
    if hosts.is_main():
        print(line)


def announce(what: str) -> None:
    """Print a line before work that takes seconds and has no bar."""
    if hosts.is_main():
        print(f"{what} ...", flush=True)


@contextlib.contextmanager
def announced(what: str, *, after: float = 3.0) -> Iterator[None]:
    """Print a line if a block without a bar takes longer than `after` seconds."""
    timer = threading.Timer(after, announce, (what,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
