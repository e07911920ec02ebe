"""Image sets in array_record files, with fast access to any example.

A record is a `tf.train.Example` with an encoded `image` and, where there are labels, an integer `label`, as in
TFDS. TensorFlow is not needed.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from jaxvae.data.dataset import Dataset, Split
from jaxvae.data.headers import read_header
from jaxvae.data.images import Page, decode_images
from jaxvae.data.partition import SPLITS, TEST, TRAIN, VALIDATION, check_splits, divide, tenths
from jaxvae.data.preparation import Preparation
from jaxvae.data.rows import LazyRows, Rows, blocks
from jaxvae.data.spaces.judged import image_space
from jaxvae.data.survey import Form, Survey
from jaxvae.errors import InputError, first_line

_FILE_NAME = re.compile(rf"(.+?)(?:-({'|'.join(SPLITS)}))?\.array_record(?:-\d+-of-\d+)?")
"""Pattern of a file's name: name of the set, and split of the file."""
_RECORDS_AT_ONCE = 8192
_KEPT_BYTES = 64 << 20
"""Maximum size in bytes of a set's encoded images that are kept in memory."""


class Source(Protocol):
    """Records by their numbers, as from `array_record` and TFDS's `as_data_source`."""

    def __len__(self) -> int: ...

    def __getitems__(self, ids: Sequence[int], /) -> Sequence[bytes]: ...


def record_files(path: Path) -> list[Path]:
    """Return array_record files: `path` itself, or those in the folder in sorted order."""
    files = sorted(path.glob("*.array_record*")) if path.is_dir() else [path]
    return [file for file in files if _FILE_NAME.fullmatch(file.name) and not file.name.startswith(".")]


def open_records(path: Path, preparation: Preparation) -> Dataset:
    """Open an array_record file, or a folder with the shards of a set.

    Names such as `cifar10-train.array_record-00000-of-00001` define the splits; files of other splits than train,
    validation and test are left out. Without such names, or where all files are called train, a fixed permutation
    divides the set 80/10/10.
    """
    files = record_files(path)
    name, _ = _name_and_split(files[0])
    by_split: dict[str | None, list[Path]] = {}
    for file in files:
        by_split.setdefault(_name_and_split(file)[1], []).append(file)
    if path.is_file() or by_split.keys() <= {None, "train"}:
        whole, form = _open_files(path, files, preparation)
        data = divide(name, whole, tenths(path, whole.num_examples))
    else:
        check_splits(path, [split for split in by_split if split])
        opened = {SPLITS[split]: _open_files(path, by_split[split], preparation) for split in by_split if split}
        if len(shapes := {form.shape for _, form in opened.values()}) > 1:
            raise InputError(f"{path}: images of {sorted(shapes)} in its splits; bring all to one shape")
        (train, form), (test, _), (validation, _) = opened[TRAIN], opened[TEST], opened.get(VALIDATION, (None, None))
        data = Dataset(name, train, test, validation).of_space(image_space(train.x))
    return data._replace(classes=_class_names(path, data.train.label), preparation=form.named)


def _open_files(path: Path, files: Sequence[Path], preparation: Preparation) -> tuple[Split, Form]:
    from array_record.python.array_record_data_source import ArrayRecordDataSource

    return open_split(partial(ArrayRecordDataSource, files), str(path), preparation, remedy="write it again")


def _class_names(folder: Path, label: np.ndarray | None) -> tuple[str, ...]:
    """Read the names of classes, if TFDS has written any."""
    try:
        names = (folder / "label.labels.txt").read_text("utf-8").splitlines()
    except (OSError, ValueError):
        return ()
    return tuple(names) if label is not None and label.max(initial=0) < len(names) else ()


def open_split(
    open_source: Callable[[], Source], what: str, preparation: Preparation, *, remedy: str
) -> tuple[Split, Form]:
    """Open the examples of a source; all are read once, for their labels and sizes.

    Args:
        open_source: function that opens it.
        what: name of the source in messages.
        preparation: size and background of the prepared images.
        remedy: remedy for a damaged source.

    Returns:
        The split, and the common form of its images.

    Raises:
        InputError: the source cannot be read, or its images differ in size.
    """
    errors = partial(_errors, what, remedy)
    with errors():
        source = open_source()
        survey, label, kept = _scan(source, what)
    form = survey.form(what, preparation)

    def read(ids: np.ndarray) -> np.ndarray:
        with errors():
            files = [kept[i] for i in ids] if kept else [_image(example) for example in _examples(source, ids.tolist())]
        return decode_images([Page(_name(what, i), partial(io.BytesIO, file)) for i, file in zip(ids, files)], form)

    return Split(LazyRows(read, (len(source), *form.shape), form.dtype), label), form


def write_array_record(path: str | Path, image: Rows, label: np.ndarray | None = None) -> None:
    """Write images to an array_record file that `load` reads.

    Args:
        path: the file, such as `faces.array_record`; or `faces-train.array_record`, with others for test and perhaps
            validation in the same folder.
        image: `[N, H, W, 1]` or `[N, H, W, 3]` uint8.
        label: `[N]` integers.

    Raises:
        InputError: the images have another shape or dtype, or there is not one label for each.
    """
    from array_record.python.array_record_module import ArrayRecordWriter

    if image.dtype != np.uint8 or len(image.shape) != 4 or image.shape[3] not in (1, 3):
        raise InputError(f"image: {image.dtype} {image.shape}; give uint8 [N, H, W, 1] or [N, H, W, 3]")
    if label is not None and label.shape != (len(image),):
        raise InputError(f"label: shape {label.shape} for {len(image)} images; give one for each")
    numbers = itertools.repeat(None) if label is None else label.tolist()
    # One record per group: a record is decompressed with its whole group.
    with contextlib.closing(ArrayRecordWriter(str(path), "group_size:1")) as writer:
        for pixels, number in zip(itertools.chain.from_iterable(blocks(image)), numbers):
            writer.write(_encode(pixels, number))


def _encode(pixels: np.ndarray, number: int | None) -> bytes:
    from PIL import Image
    from tensorflow_datasets.proto import tf_example_pb2

    example, file = tf_example_pb2.Example(), io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(file, "PNG")
    example.features.feature["image"].bytes_list.value.append(file.getvalue())
    if number is not None:
        example.features.feature["label"].int64_list.value.append(number)
    return example.SerializeToString()


def _name_and_split(file: Path) -> tuple[str, str | None]:
    match = _FILE_NAME.fullmatch(file.name)
    assert match
    return match[1], match[2]


def _scan(source: Source, what: str) -> tuple[Survey, np.ndarray | None, list[bytes]]:
    """Return the images' headers, their labels if all have one, and all files if they are small together."""
    if not len(source):
        raise ValueError("it holds no example")
    survey = Survey()
    labels: list[int] = []
    labels_per_record = set()
    kept: list[bytes] = []
    room = _KEPT_BYTES
    for first in range(0, len(source), _RECORDS_AT_ONCE):
        ids = range(first, min(first + _RECORDS_AT_ONCE, len(source)))
        for i, example in zip(ids, _examples(source, ids)):
            name, file = _name(what, i), _image(example)
            survey.add(read_header(io.BytesIO(file), name), name)
            room -= len(file)
            if room >= 0:
                kept.append(file)
            label = example.features.feature["label"].int64_list.value
            labels.extend(label)
            labels_per_record.add(len(label))
    label = np.array(labels, np.int32) if labels_per_record == {1} else None
    return survey, label, kept if room >= 0 else []


def _examples(source: Source, ids: Sequence[int]) -> Iterator[Any]:
    from tensorflow_datasets.proto import tf_example_pb2

    return map(tf_example_pb2.Example.FromString, source.__getitems__(ids))


def _image(example: Any) -> bytes:
    files = example.features.feature["image"].bytes_list.value
    if len(files) != 1:
        raise ValueError("a record without an encoded 'image'")
    return files[0]


def _name(what: str, index: int) -> str:
    return f"{what}: record {index}"


@contextlib.contextmanager
def _errors(what: str, remedy: str) -> Iterator[None]:
    try:
        yield
    except (ImportError, InputError):
        raise
    except Exception as error:  # array_record and protobuf have no common class of errors
        raise InputError(f"{what} cannot be read ({first_line(error)}); {remedy}") from error
