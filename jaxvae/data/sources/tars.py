"""Images in a tar archive, with splits and classes from its folders, or with classes in files beside the images."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import mmap
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

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
_LONGEST = 9
"""Largest number of digits of a class number."""
_ERRORS = (tarfile.TarError, OSError, EOFError, ValueError, zlib.error, lzma.LZMAError)


def open_tar(path: Path, preparation: Preparation) -> Dataset:
    """Open an archive of images as the folder that was packed; a compressed one is unpacked to a temporary file.

    A single folder at its top stands for the set. Where images have files with class numbers beside them, `001.jpg`
    and `001.cls`, these are the labels; otherwise folders tell splits and classes, see `open_folder`.

    Raises:
        InputError: it cannot be read, or see `open_folder`.
    """
    files, folders = tar_files(path)
    return open_tree(path, _stem(path), files, folders, preparation)


def tar_files(path: Path) -> tuple[list[ImageFile], set[str]]:
    """Return the images of an archive in the order of their names, and the names of the folders at its top.

    Raises:
        InputError: it cannot be read, or holds no images, or links or labels that cannot be used.
    """
    try:
        archive = _uncompressed(path)
        with tarfile.open(fileobj=archive, mode="r:") as tar:
            members = {name: member for member in tar.getmembers() if (name := _name(member))}
    except _ERRORS as error:
        raise InputError(f"{path}: cannot be read ({first_line(error)}); write it again with tar") from error
    top = _top([name for name, member in members.items() if not member.isdir()])
    inside = {Path(*name.parts[top:]): member for name, member in sorted(members.items()) if len(name.parts) > top}
    if links := [str(name) for name, member in inside.items() if member.issym() or member.islnk()]:
        raise InputError(f"{path}: {links[0]} is a link; pack the files: tar --dereference --hard-dereference")
    contents = {name: partial(_content, archive, member) for name, member in inside.items() if member.isreg()}
    images = check_kinds(path, list(contents))
    labels = _labels(path, images, contents)
    files = [ImageFile(name.parts, f"{path}: {name}", contents[name], labels.get(name)) for name in images]
    folders = {name.parts[0] for name, member in inside.items() if len(name.parts) > 1 or member.isdir()}
    return files, folders


def _uncompressed(path: Path) -> mmap.mmap:
    """Map an archive into memory, for access to any of its members by several threads."""
    unpack = next(_UNPACK[end] for end in _UNPACK if path.name.lower().endswith(end))
    if unpack is None:
        with path.open("rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    with tempfile.TemporaryFile() as file, unpack(path, "rb") as stream:
        shutil.copyfileobj(stream, file)
        file.flush()
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _name(member: tarfile.TarInfo) -> PurePosixPath | None:
    """Return the name of a member, or None for one that is passed over."""
    name = PurePosixPath(member.name)
    return None if any(map(is_passed_over, name.parts)) else name


def _top(names: Sequence[PurePosixPath]) -> int:
    """Return 1 if all files lie in one folder, which stands for the set, else 0."""
    first = {name.parts[0] if len(name.parts) > 1 else "" for name in names}
    return int(len(first) == 1 and "" not in first)


def _content(archive: mmap.mmap, member: tarfile.TarInfo) -> BinaryIO:
    return io.BytesIO(archive[member.offset_data : member.offset_data + member.size])


def _labels(path: Path, images: Sequence[Path], contents: Mapping[Path, Callable[[], BinaryIO]]) -> dict[Path, int]:
    """Return the class numbers of images from the files beside them; all images have one, or none."""
    beside = {image: image.with_name(image.name.partition(".")[0] + _LABEL) for image in images}
    labels = {}
    for image, file in beside.items():
        if file not in contents:
            continue
        word = contents[file]().read(_LONGEST).decode("utf-8", "replace").strip()
        if not (word.isascii() and word.isdigit()):
            raise InputError(f"{path}: {file} holds {word!r}; write a class number from 0")
        labels[image] = int(word)
    if labels and (missing := [image for image in images if image not in labels]):
        found = f"{missing[0]} has no {beside[missing[0]].name} beside it"
        raise InputError(f"{path}: {found}; give one to each image, or to none")
    return labels


def _stem(path: Path) -> str:
    end = next(end for end in TARS if path.name.lower().endswith(end))
    return path.resolve().name[: -len(end)]
