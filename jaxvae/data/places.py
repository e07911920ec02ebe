"""Names of data sets: those of TFDS, of Hugging Face and in memory, functions of the user, and paths."""

from __future__ import annotations

import re
import urllib.parse
from pathlib import Path
from typing import NamedTuple

from jaxvae.errors import InputError
from jaxvae.stores import address

TFDS, HUB, MEMORY = "tfds:", "hf:", "memory:"
"""Beginnings of the names of sets of TensorFlow Datasets, of Hugging Face, and in the memory of a program."""
_FUNCTION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
"""Pattern of the name of a function, `module:function`."""


JOINED = "+"
"""Mark between the paths of sets that are joined."""


class Asked(NamedTuple):
    """Name of a set, and what is asked for behind its question mark."""

    name: str
    choices: dict[str, str]


def exists(name: str) -> Path | None:
    """Return the path of a file or folder on this disk, or None."""
    try:
        path = Path(name).expanduser()
        return path if name and path.exists() else None
    except (OSError, RuntimeError, ValueError):  # not a valid file name
        return None


def joined(name: str) -> list[str]:
    """Return the paths of sets that are joined; a file with this name comes first.

    >>> joined("a.npz+b.npz"), joined("a.npz")
    (['a.npz', 'b.npz'], ['a.npz'])
    """
    return [name] if exists(name) is not None else name.split(JOINED)


def is_scheme(name: str) -> bool:
    """Return True for the name of a set of TFDS, of Hugging Face, or in memory."""
    return name.startswith((TFDS, HUB, MEMORY))


def is_function(name: str) -> bool:
    """Return True for a function of the user, `module:function`; a file of this name comes first.

    >>> is_function("faces:load"), is_function("tfds:cifar10"), is_function("faces.npz")
    (True, False, False)
    """
    return not is_scheme(name) and _FUNCTION.fullmatch(name) is not None and exists(name) is None


def asked(name: str) -> Asked:
    """Divide the name of a set, without its scheme, at the question mark.

    Raises:
        InputError: what follows it are not pairs `key=value`.

    >>> asked("tfds:celeb_a?label=Smiling")
    Asked(name='celeb_a', choices={'label': 'Smiling'})
    """
    bare, _, query = name.partition(":")[2].partition("?")
    try:
        pairs = urllib.parse.parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError as error:
        raise InputError(f"dataset: {name!r}: behind the ? stands no key=value; write ?image=A&label=B") from error
    return Asked(bare, dict(pairs))


def absolute(name: str) -> str:
    """Return the name of a set for use from any folder: a path becomes absolute, also that of a folder behind `hf:`.

    >>> absolute("tfds:cifar10")
    'tfds:cifar10'
    """
    # Not `resolve`: a link keeps its name.
    if name.startswith(HUB):
        bare, mark, query = name.removeprefix(HUB).partition("?")
        folder = exists(bare)
        return name if folder is None else f"{HUB}{folder.absolute()}{mark}{query}"
    if is_scheme(name) or is_function(name):
        return name
    return JOINED.join(address(part) or str(Path(part).expanduser().absolute()) for part in joined(name))


def stem(name: str) -> str:
    """Return the short name of a set, as part of the name of a folder.

    >>> stem("/data/faces.npz"), stem("tfds:celeb_a/aligned:2.0.0?label=Smiling"), stem("a.b:load")
    ('faces', 'celeb_a-aligned', 'a.b-load')
    """
    if not (is_scheme(name) or is_function(name)):
        return JOINED.join(Path(part).resolve().stem for part in joined(name))
    if is_function(name):
        return name.replace(":", "-")
    bare = asked(name).name
    if exists(bare) is not None and name.startswith(HUB):
        return Path(bare).resolve().stem
    return re.sub(r"[^\w.]+", "-", bare.split(":")[0]).strip("-")
