"""Images in a folder of the user, with splits and classes from its subfolders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import BinaryIO

import numpy as np

from jaxvae.data.classes import class_order
from jaxvae.data.dataset import Dataset, Split
from jaxvae.data.headers import read_headers, readable
from jaxvae.data.images import Page, image_rows
from jaxvae.data.partition import SPLITS, check_splits, divide, tenths
from jaxvae.data.preparation import Preparation
from jaxvae.data.sources.recipes import IMAGES, UNREAD_IMAGES, folder_advice
from jaxvae.data.survey import Form, Survey
from jaxvae.errors import InputError, first_line

_LEFT_BEHIND = frozenset({"__MACOSX", "@eaDir", "$RECYCLE.BIN"})
"""Folders that macOS, file servers and Windows create among the user's."""


def open_folder(path: Path, preparation: Preparation) -> Dataset:
    """Open a folder of images as a data set.

    Subfolders at its top named train, val and test are its splits. Without them a fixed permutation divides it
    80/10/10. Where every image of the folder, or of a split, lies in a subfolder one level down, the subfolders are
    the classes. Every page of a TIFF and every frame of an animation is an image, with the label of its file. Grey
    images have 1 channel; where any is coloured, all have 3.

    Raises:
        InputError: it holds no image, or files of other kinds, its folders contradict each other, or images differ in
            size.
    """
    files = _image_files(path)
    pages, form = _survey(path, files, preparation)
    parts, label, classes = _read_names(path, files)
    ids = np.repeat(np.arange(len(files)), [len(of_file) for of_file in pages])
    image = image_rows([page for of_file in pages for page in of_file], form)
    whole = Split(image, label[ids])
    data = divide(path.resolve().name, whole, tenths(path, len(ids)) if parts is None else parts[ids])
    validation = _labelled(data.validation) if data.validation else None
    data = data._replace(train=_labelled(data.train), test=_labelled(data.test), validation=validation)
    return data._replace(classes=classes, preparation=form.named)


def _image_files(path: Path) -> list[Path]:
    """Return all images in a folder, in the order of their names."""
    files = list(_walk(path))
    images = [file for file in files if file.suffix.lower() in IMAGES]
    if not images:
        raise InputError(folder_advice(path, files))
    if unread := [file for file in files if file.suffix.lower() in UNREAD_IMAGES]:
        found = f"{unread[0]} and {len(unread) - 1} more" if len(unread) > 1 else str(unread[0])
        raise InputError(
            f"{path}: holds images of kinds that are not read, {found}; convert them to .png, or move them out"
        )
    return images


def _walk(folder: Path, above: tuple[Path, ...] = ()) -> Iterator[Path]:
    """Yield files in a folder and its subfolders, also linked ones, but not hidden ones."""
    if (real := folder.resolve()) in above:  # a cycle of links
        return
    try:
        entries = sorted(folder.iterdir(), key=lambda entry: entry.name)
    except OSError as error:
        raise InputError(f"{folder}: cannot be read ({first_line(error)}); make it readable, or move it out") from error
    for entry in entries:
        if entry.name.startswith(".") or entry.name in _LEFT_BEHIND:
            continue
        if entry.is_dir():
            if not _is_run(entry):
                yield from _walk(entry, (*above, real))
        else:
            yield entry


def _is_run(folder: Path) -> bool:
    """Tell a run directory, whose figures are no examples: `--dataset .` puts one among the images."""
    return (folder / "config.json").exists() and (folder / "manifest.json").exists()


def _survey(path: Path, files: Sequence[Path], preparation: Preparation) -> tuple[list[list[Page]], Form]:
    """Return the pages of every file, and their common form."""
    survey, pages = Survey(), []
    for file in files:
        name, open_file = str(file), partial(_open, file)
        with readable(name), open_file() as stream:
            headers = read_headers(stream, name)
        for header in headers.values():
            survey.add(header, name)
        pages.append([Page(name, open_file, number) for number in headers])
    return pages, survey.form(str(path), preparation)


def _open(file: Path) -> BinaryIO:
    return file.open("rb")


def _read_names(path: Path, files: Sequence[Path]) -> tuple[np.ndarray | None, np.ndarray, tuple[str, ...]]:
    """Return part numbers of files if folders define them, labels, -1 where there are none, and the classes' names."""
    names = [file.relative_to(path).parts for file in files]
    parts = _parts(path, names)
    if parts is not None:
        names = [inner[1:] for inner in names]
    labelled = np.array([len(inner) == 2 for inner in names])
    for part in (slice(None),) if parts is None else (parts == number for number in np.unique(parts)):
        labelled[part] &= labelled[part].all()
    classes = class_order(inner[0] for inner, known in zip(names, labelled) if known)
    number = {name: i for i, name in enumerate(classes)}
    label = [number[inner[0]] if known else -1 for inner, known in zip(names, labelled)]
    return parts, np.array(label, np.int32), classes


def _parts(path: Path, names: Sequence[tuple[str, ...]]) -> np.ndarray | None:
    """Return part numbers by the folders at the top, or None if none is named like a split."""
    splits = [entry.name for entry in path.iterdir() if entry.name.lower() in SPLITS and entry.is_dir()]
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


def _labelled(split: Split) -> Split:
    return split._replace(label=None) if split.label is not None and (split.label < 0).any() else split
