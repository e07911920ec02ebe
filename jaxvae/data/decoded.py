"""Decoded images of a prepared set, kept between runs: to decode MNIST takes as long as hundreds of steps."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from jaxvae import disk
from jaxvae.data.dataset import Split
from jaxvae.data.rows import LazyRows

CACHE = Path("~/.cache/jaxvae/decoded")


def kept(files: Iterable[Path], decode: Callable[[], Split]) -> Split:
    """Return the split that is in some files, from its decoded images if these very bytes were decoded before.

    Args:
        files: files of the split.
        decode: function that opens them.
    """
    folder = CACHE.expanduser() / _digest(files)
    if (found := _read(folder)) is not None:
        return found
    split = decode()
    with contextlib.suppress(OSError):  # no room, or no right to write there: it is decoded at each start
        _write(folder, split)
    return split


def _digest(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(f"{file.name}{file.stat().st_size}".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _read(folder: Path) -> Split | None:
    """Return the split that was kept, whose images stay in their file; None if there is none, or it is damaged."""
    try:
        label = np.load(folder / "label.npy") if (folder / "label.npy").exists() else None
        image = np.load(folder / "image.npy", mmap_mode="r")
    except (OSError, ValueError):
        return None
    return Split(LazyRows(lambda ids: image[ids], image.shape, image.dtype), label)


def _write(folder: Path, split: Split) -> None:
    disk.make_folder(folder.parent)
    shutil.rmtree(folder, ignore_errors=True)  # a damaged one
    part = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", suffix=".part", dir=folder.parent))
    try:
        np.save(part / "image.npy", split.x[:])
        if split.label is not None:
            np.save(part / "label.npy", split.label)
        disk.put(part, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
