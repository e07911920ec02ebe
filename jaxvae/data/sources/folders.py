"""Images in a folder of the user, with splits and classes from its subfolders."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO

from jaxvae.data.dataset import Dataset
from jaxvae.data.preparation import Preparation
from jaxvae.data.sources.trees import ImageFile, check_kinds, is_passed_over, open_tree
from jaxvae.errors import InputError, first_line


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
    images = check_kinds(path, list(_walk(path)))
    files = [ImageFile(image.relative_to(path).parts, str(image), partial(_open, image)) for image in images]
    folders = [entry.name for entry in path.iterdir() if entry.is_dir()]
    return open_tree(path, path.resolve().name, files, folders, preparation)


def _walk(folder: Path, above: tuple[Path, ...] = ()) -> Iterator[Path]:
    """Yield files in a folder and its subfolders, also linked ones, but not hidden ones."""
    if (real := folder.resolve()) in above:  # a cycle of links
        return
    try:
        entries = sorted(folder.iterdir(), key=lambda entry: entry.name)
    except OSError as error:
        raise InputError(f"{folder}: cannot be read ({first_line(error)}); make it readable, or move it out") from error
    for entry in entries:
        if is_passed_over(entry.name):
            continue
        if entry.is_dir():
            if not _is_run(entry):
                yield from _walk(entry, (*above, real))
        else:
            yield entry


def _is_run(folder: Path) -> bool:
    """Tell a run directory, whose figures are no examples: `--dataset .` puts one among the images."""
    return (folder / "config.json").exists() and (folder / "manifest.json").exists()


def _open(file: Path) -> BinaryIO:
    return file.open("rb")
