"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from jaxvae import disk


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a path beside a file, whose content takes the file's place at the end; after an error nothing is left."""
    disk.make_folder(path.parent)
    part = path.with_name(f".{path.stem}.part{path.suffix}")
    try:
        yield part
        disk.put(part, path)
    finally:
        part.unlink(missing_ok=True)
