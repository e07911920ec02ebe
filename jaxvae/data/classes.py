"""Order of class names, which defines the class numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def class_order(names: Iterable[str]) -> tuple[str, ...]:
    """Sort the names of classes: as numbers where all are numbers, as words otherwise.

    >>> class_order(["10", "2", "1"]), class_order(["10", "2", "cat"])
    (('1', '2', '10'), ('10', '2', 'cat'))
    """
    words = sorted(set(names))
    if all(map(_NUMBER.fullmatch, words)):
        words.sort(key=Decimal)
    return tuple(words)
