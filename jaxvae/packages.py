"""Packages of the extras, and the lines that name a missing one."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jaxvae.errors import InputError

EXPERIMENTS = {
    "tyro": "tyro",
    "tomli_w": "tomli-w",
    "tqdm": "tqdm",
    "matplotlib": "matplotlib",
    "sklearn": "scikit-learn",
    "scipy": "scipy",
    "tensorflow_datasets": "tensorflow-datasets",
    "importlib_resources": "importlib_resources",
    "PIL": "pillow",
    "array_record": "array_record",
    "grain": "grain",
    "tensorboardX": "tensorboardX",
}
"""Packages by the modules that they install."""


def not_installed(error: ModuleNotFoundError) -> str | None:
    """Return the line that names a missing package and its extra, or None for a package of no extra.

    >>> not_installed(ModuleNotFoundError("No module named 'sklearn'", name="sklearn.datasets"))
    "scikit-learn: is not installed; pip install 'jaxvae[experiments]'"
    """
    package = EXPERIMENTS.get((error.name or "").split(".")[0])
    return package and f"{package}: is not installed; pip install 'jaxvae[experiments]'"


@contextlib.contextmanager
def missing_named() -> Iterator[None]:
    """Turn the error of a package that is not installed into the line that names its extra; a decorator, too.

    Raises:
        InputError: a package of an extra is missing.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if line := not_installed(error):
            raise InputError(line) from error
        raise


def check_installed(what: str, module: str, extra: str) -> None:
    """Refuse what needs a module that is not installed, without importing it.

    Raises:
        InputError: its package is not installed.
    """
    if importlib.util.find_spec(module) is None:
        raise InputError(f"{what}: needs {module}, which is not installed; pip install 'jaxvae[{extra}]'")


def needed_by(what: str | Path, module: str, extra: str = "tables") -> Any:
    """Import a module of an extra.

    Args:
        what: file or option that needs it, in the message.
        module: name of the module.
        extra: name of the extra.

    Raises:
        InputError: its package is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.split(".")[0]
        raise InputError(f"{what}: needs {package}, which is not installed; pip install 'jaxvae[{extra}]'") from error
