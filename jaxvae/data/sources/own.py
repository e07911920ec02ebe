"""Data that a function of the user returns."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from jaxvae.data.dataset import Dataset
from jaxvae.data.partition import divided
from jaxvae.data.places import stem
from jaxvae.data.preparation import Preparation
from jaxvae.data.sources.archive import ArrayHeader
from jaxvae.data.sources.keyed import whole_set
from jaxvae.errors import InputError, did_you_mean, first_line


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
    result: Callable[[], Any] = function
    return result


def open_own(name: str, result: Any, preparation: Preparation) -> Dataset:
    """Open what a function returned.

    Raises:
        InputError: it is no data set.
    """
    if isinstance(result, Dataset):
        return result
    if not isinstance(result, Mapping):
        remedy = "return a dict of arrays with the keys of an .npz file, or a jaxvae.data.Dataset"
        raise InputError(f"dataset: {name!r}: it returned {type(result).__name__}; {remedy}")
    arrays = {key: np.asarray(array) for key, array in result.items()}
    headers = {key: ArrayHeader(array.shape, array.dtype) for key, array in arrays.items()}
    return divided(f"dataset: {name!r}", stem(name), whole_set(f"dataset: {name!r}", arrays, headers, preparation))
