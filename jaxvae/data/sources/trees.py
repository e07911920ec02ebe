"""Image files in a tree of folders, on disk or in an archive, with splits and classes from the folders' names."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from jaxvae.data.classes import class_order
from jaxvae.data.dataset import Dataset, Split
from jaxvae.data.headers import read_headers, readable
from jaxvae.data.images import Page, image_rows
from jaxvae.data.partition import SPLITS, check_splits, divide, tenths, without_unknown_labels
from jaxvae.data.preparation import Preparation
from jaxvae.data.sources.recipes import IMAGES, UNREAD_IMAGES, folder_advice
from jaxvae.data.survey import Form, Survey
from jaxvae.errors import InputError

LEFT_BEHIND = frozenset({"__MACOSX", "@eaDir", "$RECYCLE.BIN"})
"""Folders that macOS, file servers and Windows create among the user's."""


class ImageFile(NamedTuple):
    """Image file in a tree."""

    place: tuple[str, ...]
    """Names of the folders below the top, and of the file."""
    name: str
    """Name of the file in messages."""
    open: Callable[[], BinaryIO]
    label: int | None = None
    """Class number where folders do not tell it."""


def is_passed_over(name: str) -> bool:
    """Return True for a hidden file or folder, and for what systems leave behind."""
    return name.startswith(".") or name in LEFT_BEHIND


def check_kinds(path: Path, files: Sequence[Path]) -> list[Path]:
    """Return the images among the files of a set, in their order.

    Raises:
        InputError: there is none, or there are images of kinds that are not read.
    """
    images = [file for file in files if file.suffix.lower() in IMAGES]
    if not images:
        raise InputError(folder_advice(path, list(files)))
    if unread := [file for file in files if file.suffix.lower() in UNREAD_IMAGES]:
        found = f"{unread[0]} and {len(unread) - 1} more" if len(unread) > 1 else str(unread[0])
        raise InputError(
            f"{path}: holds images of kinds that are not read, {found}; convert them to .png, or move them out"
        )
    return images


def open_tree(
    path: Path, name: str, files: Sequence[ImageFile], folders: Collection[str], preparation: Preparation
) -> Dataset:
    """Make a data set of image files; they are decoded when they are needed.

    Args:
        path: the folder or archive, for messages.
        name: name of the set.
        files: image files in the order of their names.
        folders: names of the folders at the top.
        preparation: size and background of the images.

    Raises:
        InputError: folders contradict each other, or images differ in size.
    """
    pages, form = survey_pages(path, files, preparation)
    parts, label, classes = _read_names(path, files, folders)
    ids = np.repeat(np.arange(len(files)), [len(of_file) for of_file in pages])
    image = image_rows([page for of_file in pages for page in of_file], form)
    whole = Split(image, label[ids])
    data = divide(name, whole, tenths(path, len(ids)) if parts is None else parts[ids])
    return data.map_splits(without_unknown_labels)._replace(classes=classes, preparation=form.named)


def survey_pages(path: Path, files: Sequence[ImageFile], preparation: Preparation) -> tuple[list[list[Page]], Form]:
    """Return the pages of every file, and their common form."""
    survey, pages = Survey(), []
    for file in files:
        with readable(file.name), file.open() as stream:
            headers = read_headers(stream, file.name)
        for header in headers.values():
            survey.add(header, file.name)
        pages.append([Page(file.name, file.open, number) for number in headers])
    return pages, survey.form(str(path), preparation)


def _read_names(
    path: Path, files: Sequence[ImageFile], folders: Collection[str]
) -> tuple[np.ndarray | None, np.ndarray, tuple[str, ...]]:
    """Return part numbers of files if folders define them, labels, -1 where there are none, and the classes' names."""
    names = [file.place for file in files]
    parts = _parts(path, names, folders)
    known = [-1 if file.label is None else file.label for file in files]
    if max(known) >= 0:
        return parts, np.array(known, np.int32), ()
    if parts is not None:
        names = [inner[1:] for inner in names]
    labelled = np.array([len(inner) == 2 for inner in names])
    for part in (slice(None),) if parts is None else (parts == number for number in np.unique(parts)):
        labelled[part] &= labelled[part].all()
    classes = class_order(inner[0] for inner, known in zip(names, labelled) if known)
    number = {name: i for i, name in enumerate(classes)}
    label = [number[inner[0]] if known else -1 for inner, known in zip(names, labelled)]
    return parts, np.array(label, np.int32), classes


def _parts(path: Path, names: Sequence[tuple[str, ...]], folders: Collection[str]) -> np.ndarray | None:
    """Return part numbers by the folders at the top, or None if none is named like a split."""
    splits = [folder for folder in folders if folder.lower() in SPLITS]
    if not splits:
        return None
    check_splits(path, splits)
    found = {name[0] if len(name) > 1 else "" for name in names}
    if beside := sorted(found - {*splits}):
        remedy = "move them into the splits, or rename the splits if they are classes"
        what = f"images in {beside[-1]}" if beside[-1] else "images"
        raise InputError(f"{path}: holds {what} beside the splits {', '.join(sorted(splits))}; {remedy}")
    if empty := sorted({*splits} - found):
        raise InputError(f"{path}: its split {empty[0]} holds no image; fill it, or remove it")
    return np.array([SPLITS[first.lower()] for first, *_ in names])
