"""How a function is made to do something else first, in this process or in one of its own."""

import functools


def at_call(count, act, function):
    """The function, which does something else first when it is called for the k-th time."""
    calls = iter(range(1, 10**9))

    @functools.wraps(function)
    def wrapped(*args, **kwargs):
        if next(calls) == count:
            act()
        return function(*args, **kwargs)

    return wrapped
