"""Cooperation of several processes: the one that writes, waiting with a timeout, and shared arrays."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import NoReturn, TypeVar

import jax
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import Sharding

from jaxvae.types import Array

NOTICE_SECONDS = 3.0
"""Waiting time after which a process prints that it waits."""
LEAVING_SECONDS = 2.0
"""Time for which a process that fails waits for the others to end too."""
T = TypeVar("T")
_said: set[str] = set()
_unfinished: list[threading.Thread] = []


def is_main() -> bool:
    """Return True in the process that writes the files of a run."""
    return jax.process_index() == 0


def wait(call: Callable[[], T], peers: str, *, timeout: float | None = None) -> T:
    """Return the result of a call that waits for other processes; print one line if it takes long.

    The call runs in a thread, because Python handles signals only between two of its own instructions.

    Args:
        call: function that waits.
        peers: description of the processes that it waits for.
        timeout: timeout in seconds; None waits forever.

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
    _join(thread, peers, timeout)
    _unfinished.remove(thread)
    if errors:
        raise errors[0]
    return results[0]


def _join(thread: threading.Thread, peers: str, timeout: float | None) -> None:
    deadline = None if timeout is None else time.monotonic() + timeout
    thread.join(NOTICE_SECONDS if timeout is None else min(NOTICE_SECONDS, timeout))
    if thread.is_alive() and peers not in _said and (timeout is None or timeout > NOTICE_SECONDS):
        _said.add(peers)
        _say(f"waiting for {peers}" + ("" if timeout is None else f", up to {timeout:.0f} s"))
    thread.join(None if deadline is None else max(0.0, deadline - time.monotonic()))
    if thread.is_alive():
        raise TimeoutError(f"waited {timeout:.0f} s in vain for {peers}")


def _say(line: str) -> None:
    """Print a line on standard error, above a progress bar where there is one."""
    if "tqdm" in sys.modules:
        sys.modules["tqdm"].tqdm.write(line, file=sys.stderr)
    else:
        print(line, file=sys.stderr, flush=True)


def connect() -> None:
    """Connect all processes, so that each notices when another has ended."""
    if jax.process_count() > 1:
        multihost_utils.sync_global_devices("connected")


def others() -> str:
    """Describe the other processes."""
    num = jax.process_count()
    return f"process {1 - jax.process_index()}" if num == 2 else f"the other {num - 1} processes"


def wait_for_all(name: str) -> None:
    """Wait until every process has reached the barrier of this name."""
    if jax.process_count() > 1:
        wait(lambda: multihost_utils.sync_global_devices(name), f"{others()} to reach {name!r}")


def any_process(flag: bool) -> bool:
    """Return True if the flag is True in any process; every process must call this at the same point."""
    if jax.process_count() == 1:
        return flag
    flags = wait(lambda: multihost_utils.process_allgather(np.array(flag)), f"{others()} to go on")
    return bool(np.any(flags))


def in_turns(num: int, compute: Callable[[Sequence[int]], Sequence[T]]) -> list[T]:
    """Return the results of parts 0 to `num` - 1, of which each process computes its share: process p of P every P-th.

    Every process must call this at the same point.

    Args:
        num: number of parts.
        compute: function from the numbers of parts to their results, trees of arrays of the same shapes.
    """
    processes = jax.process_count()
    if processes == 1:
        return list(compute(range(num)))
    # Who has no part left computes the last one again, because all gather the same shapes.
    mine = [min(first + jax.process_index(), num - 1) for first in range(0, num, processes)]
    stacked = jax.tree.map(lambda *leaves: np.stack(leaves), *compute(mine))
    every = wait(lambda: multihost_utils.process_allgather(stacked), f"the parts of {others()}")

    def result(number: int) -> T:
        turn, process = divmod(number, processes)
        return jax.tree.map(lambda leaf: leaf[process, turn], every)

    return [result(number) for number in range(num)]


def wait_for_steps(call: Callable[[], T]) -> T:
    """Return the result of a call that takes steps together with the other processes, if there are any."""
    return call() if jax.process_count() == 1 else wait(call, f"the steps under way, here and in {others()}")


def lost(error: Exception) -> bool:
    """Return True if an error of JAX means that another process has ended."""
    words = ("Gloo", "NCCL", "UNAVAILABLE", "closed by peer", "coordination service")
    return joined() and any(word in str(error) for word in words)


def joined() -> bool:
    """Return True if this process has joined others, or is about to."""
    return jax.distributed.is_initialized()


def leave(code: int, *, patience: float | None = None) -> NoReturn:
    """Exit, without the wait of minutes in JAX's exit where other processes do not end.

    Args:
        code: exit code.
        patience: seconds to wait for the other processes to end too; None waits without limit.
    """
    if joined() and not _unfinished:
        with contextlib.suppress(TimeoutError):
            wait(jax.distributed.shutdown, "the other processes to end", timeout=patience)
    if _unfinished:
        # A thread that waits inside JAX would block Python's exit, or end it with a C++ stack trace.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def place(tree: T, sharding: Sharding) -> T:
    """Place arrays, also keys, by a sharding; each process provides its part."""

    def place_leaf(leaf: Array | np.ndarray) -> Array:
        if jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key):
            data = place_leaf(jax.random.key_data(leaf))
            return jax.random.wrap_key_data(data, impl=jax.random.key_impl(leaf))
        return jax.make_array_from_process_local_data(sharding, np.asarray(leaf))

    return jax.tree.map(place_leaf, tree) if jax.process_count() > 1 else jax.device_put(tree, sharding)


def local(tree: T) -> T:
    """Return one copy, on a device of this process, of arrays that are replicated on several devices."""
    return jax.tree.map(lambda leaf: leaf.addressable_data(0), tree)
