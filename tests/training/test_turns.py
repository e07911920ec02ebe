"""Threads in turns: one at a time by number, with meetings of all that are there."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from jaxvae.training.turns import Turns


def run(turns, works):
    """Let each thread work, and leave in the end."""

    def work(number):
        try:
            return works[number](number)
        finally:
            turns.leave(number)

    with ThreadPoolExecutor(len(works)) as threads:
        ends = [threads.submit(work, number) for number in works]
    return ends


def test_turns_come_by_number_and_a_meeting_has_all_that_have_not_left():
    met, seen = [], []

    def meeting(brought):
        met.append(dict(brought))
        return {number: 10 * value for number, value in brought.items()}

    turns = Turns(3, meeting)

    def work(number):
        for round_ in range(number + 1):  # the first leaves first
            seen.append((round_, number, turns.meet(number, round_ + number)))

    assert not any(end.exception() for end in run(turns, dict.fromkeys((2, 0, 1), work)))
    assert [set(one) for one in met] == [{0, 1, 2}, {1, 2}, {2}]
    assert seen == [(round_, number, 10 * (round_ + number)) for round_ in range(3) for number in range(round_, 3)]


def test_an_error_of_a_meeting_reaches_all_and_one_of_a_thread_that_thread_alone():
    def meeting(brought):
        if "bad" in brought.values():
            raise ArithmeticError("of the meeting")
        return brought

    def fails(number):
        turns.meet(number, "good")
        raise ValueError("of one thread")

    def goes_on(number):
        turns.meet(number, "good")
        turns.meet(number, "bad" if number == 1 else "good")

    turns = Turns(3, meeting)
    errors = [end.exception() for end in run(turns, {0: fails, 1: goes_on, 2: goes_on})]
    assert [type(error) for error in errors] == [ValueError, ArithmeticError, ArithmeticError]


def test_one_that_never_comes_is_not_waited_for():
    turns = Turns(2, dict)
    turns.leave(None)
    assert turns.meet(0, "alone") == "alone"


def test_a_clock_stands_still_while_a_thread_waits(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("time.perf_counter", lambda: now[0])

    def meeting(brought):
        now[0] += 1
        return brought

    def work(number):
        turns.meet(number, None)
        begin = turns.clock(number)
        now[0] += 100  # work of its own
        turns.meet(number, None)
        return turns.clock(number) - begin

    turns = Turns(2, meeting)
    assert [end.result() for end in run(turns, {0: work, 1: work})] == [pytest.approx(101)] * 2
