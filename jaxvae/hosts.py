"""Several processes as one: who writes, how they wait for each other, and arrays that all of them hold."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import NoReturn, TypeVar

import jax
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import Sharding

from jaxvae.types import Array

NOTICE_SECONDS = 3.0
"""Time without a word before a process says that it waits."""
LEAVING_SECONDS = 2.0
"""Time that a process which ends with an error gives the others to end with it."""
T = TypeVar("T")
_said: set[str] = set()
_unfinished: list[threading.Thread] = []


def is_main() -> bool:
    """Whether this process is the one that writes what a run leaves behind."""
    return jax.process_index() == 0


def wait(call: Callable[[], T], whom: str, *, timeout: float | None = None) -> T:
    """Return what a call returns that waits for other processes; if it takes long, say so once.

    It runs in a thread of its own: Python heeds a signal between two lines only, and such a call is a single one.

    Args:
        call: waits.
        whom: it waits for.
        timeout: in seconds; None for ever.

    Raises:
        TimeoutError: it did not return in time.
    """
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(call())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    _unfinished.append(thread)
    thread.start()
    _join(thread, whom, timeout)
    _unfinished.remove(thread)
    if errors:
        raise errors[0]
    return results[0]


def _join(thread: threading.Thread, whom: str, timeout: float | None) -> None:
    deadline = None if timeout is None else time.monotonic() + timeout
    thread.join(NOTICE_SECONDS if timeout is None else min(NOTICE_SECONDS, timeout))
    if thread.is_alive() and whom not in _said and (timeout is None or timeout > NOTICE_SECONDS):
        _said.add(whom)
        _say(f"waiting for {whom}" + ("" if timeout is None else f", up to {timeout:.0f} s"))
    thread.join(None if deadline is None else max(0.0, deadline - time.monotonic()))
    if thread.is_alive():
        raise TimeoutError(f"waited {timeout:.0f} s in vain for {whom}")


def _say(line: str) -> None:
    """Print a line on standard error, above a progress bar where there is one."""
    if "tqdm" in sys.modules:
        sys.modules["tqdm"].tqdm.write(line, file=sys.stderr)
    else:
        print(line, file=sys.stderr, flush=True)


def connect() -> None:
    """Make the connections of all processes, without which none would notice that another has ended."""
    if jax.process_count() > 1:
        multihost_utils.sync_global_devices("connected")


def others() -> str:
    """The other processes, in words."""
    num = jax.process_count()
    return f"process {1 - jax.process_index()}" if num == 2 else f"the other {num - 1} processes"


def wait_for_all(name: str) -> None:
    """Return when every process has come to the place of this name."""
    if jax.process_count() > 1:
        wait(lambda: multihost_utils.sync_global_devices(name), f"{others()} to reach {name!r}")


def any_process(flag: bool) -> bool:
    """Whether the flag is up in any process; every process must ask at the same moment."""
    if jax.process_count() == 1:
        return flag
    flags = wait(lambda: multihost_utils.process_allgather(np.array(flag)), f"{others()} to go on")
    return bool(np.any(flags))


def wait_for_steps(call: Callable[[], T]) -> T:
    """Return what a call returns that takes steps together with the other processes, if there are any."""
    return call() if jax.process_count() == 1 else wait(call, f"the steps under way, here and in {others()}")


def lost(error: Exception) -> bool:
    """Whether an error of JAX says that another process has gone."""
    words = ("Gloo", "NCCL", "UNAVAILABLE", "closed by peer", "coordination service")
    return joined() and any(word in str(error) for word in words)


def joined() -> bool:
    """Whether this process has joined others, or is about to."""
    return jax.distributed.is_initialized()


def leave(code: int, *, patience: float | None = None) -> NoReturn:
    """Exit, without the minutes for which JAX's own exit waits where other processes do not end.

    Args:
        code: exit code.
        patience: seconds given to the other processes to end as well; None for as long as they take.
    """
    if joined() and not _unfinished:
        with contextlib.suppress(TimeoutError):
            wait(jax.distributed.shutdown, "the other processes to end", timeout=patience)
    if _unfinished:
        # A thread that waits inside JAX would hold up Python's exit, or end it with a stack of C++.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def place(tree: T, sharding: Sharding) -> T:
    """Put arrays, keys among them, where a sharding says; each process gives the part that is its own."""

    def place_leaf(leaf: Array | np.ndarray) -> Array:
        if jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key):
            data = place_leaf(jax.random.key_data(leaf))
            return jax.random.wrap_key_data(data, impl=jax.random.key_impl(leaf))
        return jax.make_array_from_process_local_data(sharding, np.asarray(leaf))

    return jax.tree.map(place_leaf, tree) if jax.process_count() > 1 else jax.device_put(tree, sharding)


def local(tree: T) -> T:
    """One copy, on a device of this process, of arrays that several devices hold whole."""
    return jax.tree.map(lambda leaf: leaf.addressable_data(0), tree)
