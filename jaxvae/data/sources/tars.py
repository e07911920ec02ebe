"""Images in a tar archive, with splits and classes from its folders, or with classes in files beside the images."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Any, BinaryIO

from jaxvae.data.dataset import Dataset
from jaxvae.data.preparation import Preparation
from jaxvae.data.sources.trees import ImageFile, check_kinds, is_passed_over, open_tree
from jaxvae.errors import InputError, first_line

_UNPACK: Mapping[str, Any] = {
    ".tar": None,
    **dict.fromkeys((".tar.gz", ".tgz"), gzip.open),
    **dict.fromkeys((".tar.bz2", ".tbz2"), bz2.open),
    **dict.fromkeys((".tar.xz", ".txz"), lzma.open),
}
"""Functions that open compressed archives, by the end of the name."""
TARS = tuple(_UNPACK)
"""Ends of the names of archives."""
_LABEL = ".cls"
"""End of the name of a file that holds the class number of the image of the same name, as in WebDataset."""
_ERRORS = (tarfile.TarError, OSError, EOFError, zlib.error, lzma.LZMAError)


def open_tar(path: Path, preparation: Preparation) -> Dataset:
    """Open an archive of images as the folder that was packed; a compressed one is unpacked to a temporary file.

    A single folder at its top stands for the set. Where images have files with class numbers beside them, `001.jpg`
    and `001.cls`, these are the labels; otherwise folders tell splits and classes, see `open_folder`.

    Raises:
        InputError: it cannot be read, or see `open_folder`.
    """
    try:
        archive = _uncompressed(path)
        with tarfile.open(fileobj=archive, mode="r:") as tar:
            members = {name: member for member in tar.getmembers() if (name := _name(member))}
    except _ERRORS as error:
        raise InputError(f"{path}: cannot be read ({first_line(error)}); write it again with tar") from error
    top = _top([name for name, member in members.items() if not member.isdir()])
    inside = {Path(*name.parts[len(top) :]): member for name, member in sorted(members.items())}
    if links := [str(name) for name, member in inside.items() if member.issym() or member.islnk()]:
        raise InputError(f"{path}: {links[0]} is a link; pack the files: tar --dereference --hard-dereference")
    contents = {name: partial(_content, archive, member) for name, member in inside.items() if member.isreg()}
    images = check_kinds(path, list(contents))
    labels = _labels(path, images, contents)
    files = [ImageFile(name.parts, f"{path}: {name}", contents[name], labels.get(name)) for name in images]
    folders = {name.parts[0] for name, member in inside.items() if len(name.parts) > 1 or member.isdir() and name.parts}
    return open_tree(path, _stem(path), files, folders, preparation)


def _uncompressed(path: Path) -> IO[bytes]:
    """Open an archive for access to any of its members."""
    unpack = next(_UNPACK[end] for end in _UNPACK if path.name.lower().endswith(end))
    if unpack is None:
        return path.open("rb")
    file = tempfile.TemporaryFile()  # noqa: SIM115, it is open as long as the set
    with unpack(path, "rb") as stream:
        shutil.copyfileobj(stream, file)
    file.seek(0)
    return file


def _name(member: tarfile.TarInfo) -> PurePosixPath | None:
    """Return the name of a member, or None for one that is passed over."""
    name = PurePosixPath(member.name)
    return None if any(map(is_passed_over, name.parts)) else name


def _top(names: Sequence[PurePosixPath]) -> tuple[str, ...]:
    """Return the folder that all files lie in, if there is one."""
    first = {name.parts[0] if len(name.parts) > 1 else "" for name in names}
    return () if len(first) != 1 or "" in first else tuple(first)


def _content(archive: IO[bytes], member: tarfile.TarInfo) -> BinaryIO:
    # Unlike seek and read it may be called by several threads.
    return io.BytesIO(os.pread(archive.fileno(), member.size, member.offset_data))


def _labels(path: Path, images: Sequence[Path], contents: Mapping[Path, Any]) -> dict[Path, int]:
    """Return the class numbers of images from the files beside them; all images have one, or none."""
    beside = {image: image.with_name(image.name.partition(".")[0] + _LABEL) for image in images}
    found = {image: contents[file]().read().decode("utf-8", "replace").strip() for image, file in beside.items() if file in contents}
    if found and (missing := [image for image in images if image not in found]):
        raise InputError(f"{path}: {missing[0]} has no {beside[missing[0]].name} beside it; give each image one, or none")
    if wrong := [image for image, label in found.items() if not (label.isascii() and label.isdigit())]:
        remedy = "write a class number from 0"
        raise InputError(f"{path}: {beside[wrong[0]]} holds {found[wrong[0]][:20]!r}; {remedy}")
    return {image: int(label) for image, label in found.items()}


def _stem(path: Path) -> str:
    end = next(end for end in TARS if path.name.lower().endswith(end))
    return path.resolve().name[: -len(end)]
