"""Packages that only some kinds of files need."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from jaxvae.errors import InputError


def needed_by(path: str | Path, module: str, extra: str = "tables") -> Any:
    """Import a module of an extra.

    Raises:
        InputError: its package is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.split(".")[0]
        raise InputError(f"{path}: needs {package}, which is not installed; pip install 'jaxvae[{extra}]'") from error
