"""Bad input as an error of one line, and the parts of such lines."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """Bad input: one line that names the argument, what came and the remedy. Scripts print it and exit with code 2."""


class InUseError(InputError):
    """Refusal of a run directory in which another process trains."""


def first_line(error: BaseException) -> str:
    """Return an error's reason in one line."""
    return (str(error) or type(error).__name__).splitlines()[0]


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """Return a hint to the nearest of these words, empty if none is near."""
    nearest = difflib.get_close_matches(word, list(words), n=1)
    return f" (did you mean {nearest[0]!r}?)" if nearest else ""
