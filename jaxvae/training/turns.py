"""Threads that work in turns: one at a time, by their numbers, from one meeting of all to the next."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

Meeting: TypeAlias = Callable[[Mapping[int, Any]], Mapping[int, Any]]
"""Function of what the threads have brought, by their numbers, to what each gets; all of them raise its error."""


class Turns:
    """Turns of some threads, of which no two work at the same time.

    Args:
        num: number of threads that take part.
        meeting: function called when all threads that have not left wait for it.
    """

    def __init__(self, num: int, meeting: Meeting) -> None:
        self._num_here, self._meeting = num, meeting
        self._changed = threading.Condition()
        self._brought: dict[int, Any] = {}
        self._got: dict[int, Any] = {}
        """Results for the threads whose turn is to come."""
        self._turn: int | None = None
        self._met, self._waited = 0.0, defaultdict[int, float](float)
        """Seconds of all meetings, and those that each thread waited for others."""

    def meet(self, number: int, brought: Any) -> Any:
        """Wait for all other threads, then for one's turn; returns what the meeting gives this thread."""
        begin, met = time.perf_counter(), self._met
        with self._changed:
            self._brought[number] = brought
            self._pass_on(number)
            self._changed.wait_for(lambda: self._turn == number)
            got = self._got.pop(number)
        self._waited[number] += time.perf_counter() - begin - (self._met - met)
        if isinstance(got, BaseException):
            raise got
        return got

    def leave(self, number: int | None) -> None:
        """Let the others go on without this thread; its number is None if it has never met them."""
        with self._changed:
            self._num_here -= 1
            self._pass_on(number)

    def clock(self, number: int) -> float:
        """Return the time in seconds, without the time that a thread has waited for others."""
        return time.perf_counter() - self._waited[number]

    def _pass_on(self, number: int | None) -> None:
        if self._turn not in (None, number):
            return  # another thread is at work
        if self._brought and not self._got and len(self._brought) == self._num_here:
            self._got, self._brought = self._outcome(self._brought), {}
        self._turn = min(self._got, default=None)
        self._changed.notify_all()

    def _outcome(self, brought: Mapping[int, Any]) -> dict[int, Any]:
        begin = time.perf_counter()
        try:
            return {**self._meeting(brought)}
        except BaseException as error:
            return dict.fromkeys(brought, error)
        finally:
            self._met += time.perf_counter() - begin
