"""Progress of slow work: a bar for a loop, a line for other work."""

from __future__ import annotations

import contextlib
import functools
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from jaxvae import hosts, stores
from jaxvae.types import Bar

Bars: TypeAlias = Callable[[str], Bar]
"""Function from the name of a loop to the wrapper of its blocks."""


def bar(*blocks: Any, **options: Any) -> Any:
    """Return a bar of tqdm: a line of the terminal, or one output of a notebook, which changes in place."""
    from tqdm import tqdm

    return tqdm(*blocks, file=NotebookLine() if is_notebook() else None, **options)


def named_bar(name: str) -> Bar:
    """Return a progress bar over blocks of examples."""
    return functools.partial(bar, desc=name, unit="block", leave=False)


@contextlib.contextmanager
def counted(what: str, steps: int) -> Iterator[Callable[[int], None]]:
    """Show a bar of steps, and yield a function of the number of those taken."""
    with bar(total=steps, desc=what, leave=False) as shown:
        yield lambda step: shown.update(step - shown.n)


def is_notebook() -> bool:
    """Return True in the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython and ipython.get_ipython()
    return shell is not None and "IPKernelApp" in shell.config


class NotebookLine:
    """Text stream that shows its newest line alone: a saved notebook would keep all lines of a terminal."""

    encoding = "utf-8"

    def __init__(self) -> None:
        self._output: Any = None

    def write(self, text: str) -> None:
        """Show a line in place of the one before."""
        from IPython.display import display

        if not (line := text.strip("\r\n")):
            return
        if self._output is None:
            self._output = display({"text/plain": line}, raw=True, display_id=True)
        else:
            self._output.update({"text/plain": line}, raw=True)

    def flush(self) -> None:
        """Do nothing, because lines are shown at once."""


def say(line: str) -> None:
    """Print a line, once for all processes, above a progress bar where there is one."""
    if hosts.is_main():
        write = sys.modules["tqdm"].tqdm.write if "tqdm" in sys.modules else print
        write(stores.named(line))


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
