"""Refusal of sets of TensorFlow Datasets that would make code run when they are opened.

TFDS imports the module of every class that the `features.json` of a prepared set names, and downloads the programs of
sets with a namespace, `owner:name`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from jaxvae.errors import InputError

_CLASS = ("type", "pythonClassName", "python_class_name")
"""Keys under which a description names a class, in its forms of several versions."""


def check_trusted(what: str, name: str, data_dir: Path) -> None:
    """Check that opening a set imports nothing but TFDS.

    Args:
        what: name of the set in messages.
        name: name of the set, `NAME/CONFIG:VERSION`.
        data_dir: folder of the prepared sets.

    Raises:
        InputError: the set has a namespace, or its description names a class that is not one of TFDS.
    """
    if re.match(r"\w+:[A-Za-z_]", name):
        raise InputError(f"{what}: comes with programs of its own; prepare it with TFDS, and read the prepared set")
    for path in _descriptions(re.split("[/:]", name)[0], data_dir):
        for found in _class_names(_read(path)):
            if not found.startswith("tensorflow_datasets."):
                raise InputError(f"{what}: {path} names code, {found}, and no file makes code run; name another set")


def _descriptions(name: str, data_dir: Path) -> Iterator[Path]:
    for folder in data_dir.iterdir() if data_dir.is_dir() else ():
        if _plain(folder.name) == _plain(name):
            yield from (*folder.glob("*/features.json"), *folder.glob("*/*/features.json"))


def _plain(name: str) -> str:
    """Return what a name has in both of its forms: TFDS finds `OurPets` as `our_pets`."""
    return name.lower().replace("_", "")


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None  # TFDS tells what is wrong with it


def _class_names(values: Any) -> Iterator[str]:
    pairs: Iterable[tuple[Any, Any]] = values.items() if isinstance(values, dict) else ()
    if isinstance(values, list):
        pairs = enumerate(values)
    for key, value in pairs:
        if key in _CLASS and isinstance(value, str):
            yield value
        else:
            yield from _class_names(value)
