"""MNIST and its variants from TensorFlow Datasets, downloaded, prepared and read without TensorFlow.

TFDS itself downloads, compares checksums, shuffles and writes, so that the result is a set of TFDS. Only the parts that
need TensorFlow are replaced here: reading the original files, and encoding and decoding PNG.
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from jaxvae.data.dataset import Dataset, Split
from jaxvae.data.decoded import kept
from jaxvae.data.preparation import Preparation
from jaxvae.data.rows import LazyRows
from jaxvae.data.sources.records import open_split
from jaxvae.data.sources.tfds_prepare import prepare_set
from jaxvae.data.spaces import Pixels

_Files: TypeAlias = dict[str, tuple[str, ...]]
_Examples: TypeAlias = Iterator[tuple[int, dict[str, Any]]]

_IDX: _Files = {
    "train": ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
    "test": ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
}
_AMAT: _Files = {
    "train": ("binarized_mnist_train.amat",),
    "validation": ("binarized_mnist_valid.amat",),
    "test": ("binarized_mnist_test.amat",),
}
TFDS_SETS = {
    "mnist": _IDX,
    "fashion_mnist": _IDX,
    "binarized_mnist": _AMAT,
}
"""Original files of every set, by split: images, and labels where there are any."""

_SIZE = 28


def open_tfds(name: str, data_dir: Path | None = None, manual_dir: Path | None = None) -> Dataset:
    """Open one of `TFDS_SETS`, after its preparation if needed."""
    import tensorflow_datasets as tfds

    folder = data_dir or os.environ.get("TFDS_DATA_DIR")
    builder = tfds.builder(name, data_dir=folder and Path(folder).expanduser())
    if not builder.data_path.exists():
        urls = {info.filename: url for url, info in builder.url_infos.items()}
        prepare_set(name, builder, manual_dir, partial(_split_generators, TFDS_SETS[name], urls))
    splits = {split: _open(builder, split) for split in TFDS_SETS[name]}
    shape = (_SIZE, _SIZE, 1)
    if name == "binarized_mnist":
        splits = {split: Split(_white_is_255(part)) for split, part in splits.items()}
        data = Dataset(name, splits["train"], splits["test"], splits["validation"])
        return data.of_space(Pixels(shape, "binary"))
    classes = tuple(builder.info.features["label"].names)
    return Dataset(name, splits["train"], splits["test"], classes=classes).of_space(Pixels(shape, "ink"))


# Preparing


def _split_generators(files: _Files, urls: dict[str, str], downloads: Any) -> dict[str, _Examples]:
    paths = downloads.download({split: [urls[name] for name in files[split]] for split in files})
    return {split: _examples(*map(Path, paths[split])) for split in files}


def _examples(image_path: Path, label_path: Path | None = None) -> _Examples:
    """Yield examples as TFDS's builders do, but with Pillow images, because TFDS encodes arrays with TensorFlow."""
    from PIL import Image

    images = _read_amat(image_path) if label_path is None else _read_idx(image_path, header=16)
    labels = None if label_path is None else _read_idx(label_path, header=8)
    for index, image in enumerate(images.reshape(-1, _SIZE, _SIZE)):
        label = {} if labels is None else {"label": int(labels[index])}
        yield index, {"image": Image.fromarray(image), **label}


def _read_idx(path: Path, header: int) -> np.ndarray:
    return np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8, offset=header)


def _read_amat(path: Path) -> np.ndarray:
    """Read lines of `0 1 0 ... 0`: every other byte is a digit."""
    return np.frombuffer(path.read_bytes(), np.uint8)[::2] - ord("0")


# Reading


def _open(builder: Any, split: str) -> Split:
    import tensorflow_datasets as tfds

    def source() -> Any:
        return builder.as_data_source(split, deserialize_method=tfds.decode.DeserializeMethod.RAW_BYTES)

    def decode() -> Split:
        what = f"{builder.name}: split {split!r} in {builder.data_path}"
        remedy = "remove that folder to have it prepared again, or name another with --data-dir"
        return open_split(source, what, Preparation(), remedy=remedy)[0]

    return kept(Path(builder.data_path).glob(f"*-{split}.array_record*"), decode)


def _white_is_255(split: Split) -> LazyRows:
    """Scale binarized MNIST, which TFDS stores as 0 and 1, to 0 and 255."""
    image = split.x
    return LazyRows(lambda ids: 255 * image[ids], image.shape)
