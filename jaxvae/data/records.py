"""Image sets in array_record files, which give any example at once however large they are.

A record is a `tf.train.Example` with an encoded `image` and, where there are labels, an integer `label`: what TFDS
writes too. No TensorFlow is needed.
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
from jaxvae.data.images import Shape, common_shape, decode_images, image_shape
from jaxvae.data.partition import divide, pixels_of, tenths
from jaxvae.data.rows import LazyRows, Rows, blocks
from jaxvae.types import InputError, first_line

_FILE_NAME = re.compile(r"(.+?)(?:-(train|validation|test))?\.array_record(?:-\d+-of-\d+)?")
"""What a set is called, and which split the file belongs to."""
_RECORDS_AT_ONCE = 8192
_KEPT_BYTES = 64 << 20
"""Encoded images that take no more than this are read once and kept."""


class Source(Protocol):
    """Records by their numbers: what `array_record` and TFDS's `as_data_source` give."""

    def __len__(self) -> int: ...

    def __getitems__(self, ids: Sequence[int], /) -> Sequence[bytes]: ...


def record_files(path: Path) -> list[Path]:
    """Array_record files, by their names: `path` itself, or those in the folder in sorted order."""
    files = sorted(path.glob("*.array_record*")) if path.is_dir() else [path]
    return [file for file in files if _FILE_NAME.fullmatch(file.name)]


def open_records(path: Path) -> Dataset:
    """Open an array_record file, or a folder with the shards of a set.

    Where names tell train from test, as `cifar10-train.array_record-00000-of-00001` does, the set is divided so, and
    files of other splits than train, validation and test are left out. Otherwise a fixed permutation divides the whole
    80/10/10.
    """
    from array_record.python.array_record_data_source import ArrayRecordDataSource

    files = record_files(path)
    name, _ = _name_and_split(files[0])

    def read(chosen: list[Path]) -> Split:
        return open_split(partial(ArrayRecordDataSource, chosen), str(path), remedy="write it again")

    by_split: dict[str | None, list[Path]] = {}
    for file in files:
        by_split.setdefault(_name_and_split(file)[1], []).append(file)
    if not {"train", "test"} <= by_split.keys():
        whole = read(files)
        return divide(name, whole, tenths(path, whole.num_examples))
    splits: dict[str, Any] = {split: read(chosen) for split, chosen in by_split.items() if split}
    if len(shapes := {split.image.shape[1:] for split in splits.values()}) > 1:
        raise InputError(f"{path}: images of {sorted(shapes)} in its splits; bring all to one shape")
    train, test, validation = splits["train"], splits["test"], splits.get("validation")
    return Dataset(name, train, test, validation, pixels_of(train.image))


def open_split(open_source: Callable[[], Source], what: str, *, remedy: str) -> Split:
    """Open the examples of a source; they are read through once, for their labels and sizes.

    Args:
        open_source: opens it.
        what: its name, for messages.
        remedy: what to do where it is damaged.

    Raises:
        InputError: it cannot be read, or its images differ in size.
    """
    errors = partial(_errors, what, remedy)
    with errors():
        source = open_source()
        shape, label, kept = _scan(source, what)

    def read(ids: np.ndarray) -> np.ndarray:
        with errors():
            files = [kept[i] for i in ids] if kept else [_image(example) for example in _examples(source, ids.tolist())]
        return decode_images(files, [_name(what, i) for i in ids], shape)

    return Split(LazyRows(read, (len(source), *shape)), label)


def write_array_record(path: str | Path, image: Rows, label: np.ndarray | None = None) -> None:
    """Write images as an array_record file, for `load` to read.

    Args:
        path: the file, such as `faces.array_record`; or `faces-train.array_record`, with others for test and perhaps
            validation in the same folder.
        image: `[N, H, W, 1]` or `[N, H, W, 3]` uint8.
        label: `[N]` integers.

    Raises:
        InputError: the images are others, or the labels not one for each.
    """
    from array_record.python.array_record_module import ArrayRecordWriter

    if image.dtype != np.uint8 or len(image.shape) != 4 or image.shape[3] not in (1, 3):
        raise InputError(f"image: {image.dtype} {image.shape}; give uint8 [N, H, W, 1] or [N, H, W, 3]")
    if label is not None and label.shape != (len(image),):
        raise InputError(f"label: shape {label.shape} for {len(image)} images; give one for each")
    numbers = itertools.repeat(None) if label is None else label.tolist()
    # One record a group: another would be unpacked with all of its group.
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


def _scan(source: Source, what: str) -> tuple[Shape, np.ndarray | None, list[bytes]]:
    """The images' common shape, their labels if every one has one, and all files where they are small together."""
    if not len(source):
        raise ValueError("it holds no example")
    shapes: dict[Shape, str] = {}
    labels: list[int] = []
    labels_per_record = set()
    kept: list[bytes] = []
    room = _KEPT_BYTES
    for first in range(0, len(source), _RECORDS_AT_ONCE):
        ids = range(first, min(first + _RECORDS_AT_ONCE, len(source)))
        for i, example in zip(ids, _examples(source, ids)):
            name, file = _name(what, i), _image(example)
            shapes.setdefault(image_shape(io.BytesIO(file), name), name)
            room -= len(file)
            if room >= 0:
                kept.append(file)
            label = example.features.feature["label"].int64_list.value
            labels.extend(label)
            labels_per_record.add(len(label))
    label = np.array(labels, np.int32) if labels_per_record == {1} else None
    return common_shape(shapes), label, kept if room >= 0 else []


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
    except Exception as error:  # array_record and protobuf have no common one
        raise InputError(f"{what} cannot be read ({first_line(error)}); {remedy}") from error
