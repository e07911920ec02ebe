"""Threads that work in turns: one at a time, by their numbers, from one meeting of all to the next."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

Meeting: TypeAlias = Callable[[Mapping[int, Any]], Mapping[int, Any]]
"""Function of what each thread has brought, by its number, to what each gets; an error is raised in all of them."""


class Turns:
    """Order of some threads, in which no two work at the same time.

    Args:
        num: number of threads that take part.
        meeting: function called when all threads that are still there wait for it.
    """

    def __init__(self, num: int, meeting: Meeting) -> None:
        self._meeting, self._num_here = meeting, num
        self._changed = threading.Condition()
        self._brought: dict[int, Any] = {}
        self._waiting: dict[int, Any] = {}
        """What the threads whose turn comes get, by number."""
        self._turn: int | None = None

    def meet(self, number: int, brought: Any) -> Any:
        """Wait for all other threads and then for one's turn; returns what the meeting has for this thread."""
        with self._changed:
            self._brought[number] = brought
            self._pass_on(number)
            self._changed.wait_for(lambda: self._turn == number)
            got = self._waiting.pop(number)
        if isinstance(got, BaseException):
            raise got
        return got

    def leave(self, number: int | None) -> None:
        """Let the others go on without this thread; its number is None where it has never met them."""
        with self._changed:
            self._num_here -= 1
            self._pass_on(number)

    def _pass_on(self, number: int | None) -> None:
        if self._turn not in (None, number):
            return  # another one works
        if not self._waiting and self._brought and len(self._brought) == self._num_here:
            brought, self._brought = self._brought, {}
            try:
                self._waiting = dict(self._meeting(brought))
            except BaseException as error:
                self._waiting = dict.fromkeys(brought, error)
        self._turn = min(self._waiting, default=None)
        self._changed.notify_all()
