"""Search space of a sweep: options in the form `learning_rate=1e-4:1e-2:log` or `latent_dim=2,5,10`."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from jaxvae.errors import InputError
from jaxvae.options.command_line import parse_recipe
from jaxvae.options.names import options, refusal
from jaxvae.options.recipe import AXES, Recipe

FIRST = ("preset", *AXES)
"""Choices, which decide what other options there are."""
LOG = "log"
Suggest: TypeAlias = Callable[[str, "Range | Choices"], Any]
"""Function of a name and its values that chooses one."""


class Range(NamedTuple):
    """Numbers from `low` to `high`."""

    low: float
    high: float
    log: bool = False
    """Choose evenly among logarithms."""

    @property
    def is_whole(self) -> bool:
        """True if its numbers are whole."""
        return isinstance(self.low, int) and isinstance(self.high, int)


class Choices(NamedTuple):
    """Some values, as words of the command line."""

    words: tuple[str, ...]


def parse_search(words: Iterable[str]) -> dict[str, Range | Choices]:
    """Return the values of each option by name, choices first.

    >>> parse_search(["learning_rate=1e-4:1e-2:log", "prior=standard,vamp"])
    {'prior': Choices(words=('standard', 'vamp')), 'learning_rate': Range(low=0.0001, high=0.01, log=True)}

    Raises:
        InputError: a word has no such form, or an option is given twice.
    """
    found: dict[str, Range | Choices] = {}
    for name, text in _pairs("search", words):
        if name in found:
            raise InputError(f"search: {name} is given twice; give it once")
        found[name] = _range(name, text) if ":" in text else Choices(tuple(text.split(",")))
    return dict(sorted(found.items(), key=lambda pair: pair[0] not in FIRST))


def fixed_words(words: Iterable[str]) -> list[str]:
    """Return options in the form `steps=2000` as words of the command line.

    >>> fixed_words(["hidden=400+200", "output_bias=false"])
    ['--hidden', '400', '200', '--no-output-bias']

    Raises:
        InputError: a word has no such form.
    """
    return [word for name, text in _pairs("fixed", words) for word in command_line(name, text)]


def command_line(name: str, value: Any) -> list[str]:
    """Return an option and its value as words; several values of one option are joined by +."""
    flag = name.replace("_", "-")
    if str(value).lower() in ("true", "false"):
        return [f"--{flag}" if str(value).lower() == "true" else f"--no-{flag}"]
    return [f"--{flag}", *str(value).split("+")] if isinstance(value, str) else [f"--{flag}", f"{value!r}"]


def choose(fixed: Sequence[str], search: Mapping[str, Range | Choices], suggest: Suggest) -> list[str]:
    """Return the words of one recipe, whose options a function chooses.

    An option that only some of the choices have is chosen where the recipe has it.
    """
    words = [*fixed]
    for name in (name for name in search if name in FIRST):
        words = [*words, *command_line(name, suggest(name, search[name]))]
    known = options(parse_recipe(words))
    for name in (name for name in search if name not in FIRST and name in known):
        words = [*words, *command_line(name, suggest(name, search[name]))]
    return words


def check_search(fixed: Sequence[str], search: Mapping[str, Range | Choices]) -> None:
    """Try the ends of every range and every choice.

    Raises:
        InputError: no choice has an option, or a value is invalid.
    """
    if not search:
        raise InputError("search: no option is given; write NAME=LOW:HIGH, NAME=LOW:HIGH:log or NAME=A,B,C")
    axes = {name: _ends(search[name]) for name in search if name in FIRST}
    known: set[str] = set()
    for values in itertools.product(*axes.values()):
        words = [*fixed, *(word for pair in zip(axes, values) for word in command_line(*pair))]
        recipe = parse_recipe(words)
        known |= options(recipe).keys()
        for name in (name for name in search if name not in FIRST and name in options(recipe)):
            for value in _ends(search[name]):
                _checked([*words, *command_line(name, value)])
    if unknown := [name for name in search if name not in (*FIRST, *known)]:
        raise InputError(f"search: {refusal(unknown[0], known)}")


def _checked(words: Sequence[str]) -> Recipe:
    recipe = parse_recipe(words)
    recipe.check()
    return recipe


def _ends(values: Range | Choices) -> tuple[Any, ...]:
    return values.words if isinstance(values, Choices) else (values.low, values.high)


def _range(name: str, text: str) -> Range:
    low, high, *rest = text.split(":")
    try:
        ends = [_number(word) for word in (low, high)]
    except ValueError:
        raise InputError(f"search: {name}={text}: ends of a range must be numbers; write LOW:HIGH or A,B,C") from None
    if rest not in ([], [LOG]):
        raise InputError(f"search: {name}={text}: only log may follow a range, got {':'.join(rest)!r}")
    first, last = ends if all(isinstance(end, int) for end in ends) else map(float, ends)
    found = Range(first, last, log=bool(rest))
    if not found.low < found.high or (found.log and found.low <= 0):
        wanted = "0 < LOW < HIGH" if found.log else "LOW < HIGH"
        raise InputError(f"search: {name}={text}: must be {wanted}")
    return found


def _number(word: str) -> int | float:
    try:
        return int(word)
    except ValueError:
        return float(word)


def _pairs(option: str, words: Iterable[str]) -> Iterator[tuple[str, str]]:
    for word in words:
        name, equals, text = word.partition("=")
        if not (name and equals and text):
            raise InputError(f"{option}: {word!r} has no value; write NAME=VALUE")
        yield name.removeprefix("--").replace("-", "_"), text
