"""Overriding of one function of a model, for objectives that wrap others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from jaxvae.distributions.gumbel import hard
from jaxvae.types import Distribution, Model, Params


def override(model: Model, **functions: Callable[..., Any]) -> Model:
    """Return the model with these functions instead of its own; everything else it has stays reachable.

    >>> from types import SimpleNamespace
    >>> model = SimpleNamespace(encode=len, decode=list, prior=tuple, extras=("critic",))
    >>> changed = override(model, decode=sorted)
    >>> changed.encode, changed.decode, changed.extras
    (<built-in function len>, <built-in function sorted>, ('critic',))
    """
    return cast(Model, _Overridden(model, functions))


def with_hard_values(model: Model) -> Model:
    """Return the model with the discrete values of a relaxed posterior: relaxed ones make no bound on log p(x)."""

    def encode(params: Params, x: Any, *given: Any) -> Distribution:
        return hard(model.encode(params, x, *given))

    return override(model, encode=encode)


class _Overridden:
    def __init__(self, model: Any, functions: dict[str, Callable[..., Any]]) -> None:
        self._model = model
        self.__dict__.update(functions)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)
