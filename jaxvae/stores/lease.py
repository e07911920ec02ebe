"""Lock of a run directory in a store: an object that its holder writes again and again, each time on a condition.

A store tells nobody that a process has ended. Who finds the object waits for the holder's next sign of life, and takes
it over when none comes. No clock is compared with another's.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator

from jaxvae.errors import InputError, InUseError
from jaxvae.stores.store import Store, StoreError, Version

NAME = "lock"
BEAT_SECONDS = 10.0
"""Time between two signs of life."""
PATIENCE_SECONDS = 60.0
"""Time without a sign of life after which the holder is taken for dead."""
LOOK_SECONDS = 0.5
logger = logging.getLogger(__name__)


@contextlib.contextmanager
def hold(store: Store) -> Iterator[Lease]:
    """Hold the lock of an address until the end of the block, or until the process has been dead for a minute.

    Raises:
        InUseError: another process holds it.
    """
    lease = Lease(store)
    try:
        yield lease
    finally:
        lease.release()


class Lease:
    """Lock that this process holds, with a thread that gives signs of life."""

    def __init__(self, store: Store) -> None:
        self._store, self._owner, self._beats = store, uuid.uuid4().hex, itertools.count()
        self._version: Version | None = self._take()
        self._one, self._ended = threading.Lock(), threading.Event()
        threading.Thread(target=self._live, daemon=True).start()

    def renew(self) -> None:
        """Give a sign of life.

        Raises:
            StoreError: another process has taken the lock over, or the store cannot be reached.
        """
        with self._one:
            if self._ended.is_set():
                return
            self._version = self._version and self._put(self._version)
            if self._version is None:
                holder = _holder(self._store) or "others"
                raise StoreError(
                    f"run-dir: {self._store.address} was taken over by {holder}, for this process had given no sign of "
                    f"life for {PATIENCE_SECONDS:.0f} s; wait for its end, or name another --run-dir"
                )

    def release(self) -> None:
        """Let others take the lock."""
        with self._one:
            self._ended.set()
            if self._version is not None:
                with contextlib.suppress(StoreError, InputError):
                    self._store.delete([NAME])

    def _live(self) -> None:
        while not self._ended.wait(BEAT_SECONDS):
            with contextlib.suppress(StoreError, InputError):  # the next upload fails too, and tells
                self.renew()

    def _take(self) -> Version:
        while (version := self._put(None)) is None:
            seen = self._store.version(NAME)
            holder = _holder(self._store)
            if seen is None or holder is None:
                continue
            if _gives_sign_of_life(self._store, seen, holder):
                raise InUseError(
                    f"run-dir: {self._store.address} is being trained by {holder}; wait for its end, or name another "
                    "--run-dir"
                )
            if (version := self._put(seen)) is not None:
                break
        if (unconditional := self._store.put_if(NAME, self._content(), None)) is None:
            return version
        logger.warning(
            "run-dir: %s knows no conditional writes; see to it that nothing else trains there", self._store.address
        )
        return unconditional

    def _put(self, before: Version | None) -> Version | None:
        after = self._store.put_if(NAME, self._content(), before)
        if after is None and self._owner in _read(self._store):
            return self._store.version(NAME)  # a request that was repeated has met its own first try
        return after

    def _content(self) -> bytes:
        return f"process {os.getpid()} on {socket.gethostname()}\n{self._owner} {next(self._beats)}\n".encode()


def _gives_sign_of_life(store: Store, seen: Version, holder: str) -> bool:
    logger.warning(
        "run-dir: %s is held by %s: waiting up to %.0f s for a sign of life", store.address, holder, PATIENCE_SECONDS
    )
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        time.sleep(LOOK_SECONDS)
        if (now := store.version(NAME)) != seen:
            return now is not None
    return False


def _holder(store: Store) -> str | None:
    lines = _read(store).splitlines()
    return lines[0] if lines else None


def _read(store: Store) -> str:
    try:
        return store.read(NAME).decode(errors="replace")
    except FileNotFoundError:
        return ""
