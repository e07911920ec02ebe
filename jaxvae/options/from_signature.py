"""Options of a function, read from its signature and its docstring, so that each is written once."""

from __future__ import annotations

import dataclasses
import inspect
import math
import re
import typing
from collections.abc import Callable, Mapping
from types import NoneType
from typing import Any, ClassVar

from jaxvae.options.checks import check
from jaxvae.options.schedules import Number

GIVEN = frozenset(
    {"model", "condition", "weights", "num_examples", "num_labelled", "axis_name", "step", "step_key", "ids"}
)
"""Arguments that the training step gives."""


class FunctionOptions:
    """Base of the classes that `options_of` makes."""

    function: ClassVar[Callable[..., Any]]
    """Function whose options these are."""

    def __reduce__(self) -> tuple[Any, ...]:
        # The class stands in no module under its name: it is made again.
        return _restored, (type(self).function, dict(vars(self)))

    def check(self) -> None:
        """Refuse numbers that are not finite; the function itself refuses others that it cannot take."""
        for name, value in vars(self).items():
            if isinstance(value, float):
                check(math.isfinite(value), name, value, "finite")


def options_of(function: Callable[..., Any]) -> type:
    """Make a frozen dataclass of a function's options.

    An option is a keyword-only argument with a default that the training step does not give. Its help is its entry
    under `Args:`. A float may be a schedule. The same function has the same class.

    Args:
        function: an objective, `(params, key, x, *, model, ...) -> (loss, aux)`.

    Returns:
        A dataclass, whose `function` is the objective.

    >>> def loss(params, key, x, *, model, beta: float = 1.0):
    ...     '''Compute a loss.
    ...
    ...     Args:
    ...         beta: weight of the KL.
    ...     '''
    >>> options_of(loss)(), options_of(loss).__doc__
    (loss(beta=1.0), 'Compute a loss.')
    """
    known = _MADE.get(function)
    if known is None:
        known = _MADE[function] = _make(function)
    return known


def _restored(function: Callable[..., Any], values: Mapping[str, Any]) -> Any:
    return options_of(function)(**values)


_MADE: dict[Callable[..., Any], type] = {}


def _make(function: Callable[..., Any]) -> type:
    doc, hints = inspect.getdoc(function) or "", typing.get_type_hints(function)
    helps = argument_docs(doc)
    fields = [
        (name, _kind(hints.get(name), default), dataclasses.field(default=default, metadata={"help": helps.get(name)}))
        for name, default in own_arguments(function).items()
    ]
    made = dataclasses.make_dataclass(
        function.__name__, fields, bases=(FunctionOptions,), frozen=True, namespace={"function": staticmethod(function)}
    )
    made.__doc__, made.__module__ = doc.split("\n\n")[0].replace("\n", " "), function.__module__
    return made


def own_arguments(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the options of a function with their defaults, in its order."""
    parameters = inspect.signature(function).parameters
    return {
        name: parameter.default
        for name, parameter in parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY and parameter.default is not parameter.empty and name not in GIVEN
    }


def required_arguments(function: Callable[..., Any]) -> list[str]:
    """Return the extras that a function asks for: keyword-only arguments without a default that no step gives."""
    parameters = inspect.signature(function).parameters
    return [
        name
        for name, parameter in parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY and parameter.default is parameter.empty and name not in GIVEN
    ]


def argument_docs(doc: str) -> Mapping[str, str]:
    """Return the entries under `Args:` of a docstring, each as one line that begins with a capital.

    >>> argument_docs('''Compute.
    ...
    ... Args:
    ...     beta: weight of
    ...         the KL.
    ...     num: count.
    ... ''')
    {'beta': 'Weight of the KL.', 'num': 'Count.'}
    """
    section = re.search(r"^Args:\n((?:[ ]+.*\n?|\n)*)", doc, re.MULTILINE)
    entries = re.findall(r"^    (\w+): ((?:.*\n?)(?:     +.*\n?)*)", section[1] if section else "", re.MULTILINE)
    texts = {name: " ".join(text.split()) for name, text in entries}
    return {name: text[:1].upper() + text[1:] for name, text in texts.items()}


def _kind(hint: Any, default: Any) -> Any:
    """Return the type of an option: its annotation without arrays; a float may be a schedule."""
    if typing.get_origin(hint) is typing.Literal or isinstance(default, bool | int | str):
        return hint if typing.get_origin(hint) is typing.Literal else type(default)
    if isinstance(default, float):
        return Number
    alternatives = [kind for kind in typing.get_args(hint) if kind is not NoneType] or [hint]
    kind = next((kind for kind in (int, float, str) if kind in alternatives), alternatives[0])
    return kind | None if default is None else kind
