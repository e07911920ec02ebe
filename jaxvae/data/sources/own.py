"""Data that a function of the user returns."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jaxvae.errors import InputError, did_you_mean, first_line

_named: set[str] = set()


def find_function(name: str) -> Callable[[], Any]:
    """Import a function by its name, `module:function`, from the current folder or an installed package.

    Raises:
        InputError: there is no such module, or no such function in it.
    """
    module_name, _, function_name = name.partition(":")
    folder = str(Path.cwd())
    sys.path.insert(0, folder)
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        remedy = f"start in the folder that holds {module_name.replace('.', '/')}.py, or install its package"
        raise InputError(
            f"dataset: {name!r}: module {module_name!r} cannot be imported ({first_line(error)}); {remedy}"
        ) from error
    finally:
        sys.path.remove(folder)
    function = getattr(module, function_name, None)
    if not callable(function):
        known = [word for word, value in vars(module).items() if callable(value) and not word.startswith("_")]
        hint = did_you_mean(function_name, known)
        found = f"{module.__file__} has no function {function_name!r}{hint}"
        raise InputError(f"dataset: {name!r}: {found}; define it there")
    _named.add(name)
    result: Callable[[], Any] = function
    return result


def was_named(name: str) -> bool:
    """Return True if this process has found the function before, by the name that its user gave."""
    return name in _named
