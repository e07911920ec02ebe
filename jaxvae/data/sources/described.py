"""Data set made of described features, from a source that reads any of its examples."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, Protocol, TypeAlias

import numpy as np

from jaxvae.data.classes import class_order
from jaxvae.data.dataset import Dataset, Split
from jaxvae.data.headers import read_header
from jaxvae.data.images import Page, decode_images
from jaxvae.data.partition import Whole, divided, without_unknown_labels
from jaxvae.data.preparation import Preparation, refuse_sizes
from jaxvae.data.rows import LazyRows
from jaxvae.data.sources import sentences
from jaxvae.data.sources.arrays import examples
from jaxvae.data.sources.columns import Column, number_column, table_examples, word_column
from jaxvae.data.sources.features import Chosen, Feature, Features, short_names, shown
from jaxvae.data.sources.objects import Stored
from jaxvae.data.sources.pictures import check_image, resized
from jaxvae.data.survey import Survey
from jaxvae.errors import InputError
from jaxvae.packages import needed_by

logger = logging.getLogger(__name__)

_RECORDS_AT_ONCE = 8192
_KEPT_BYTES = 64 << 20
"""Maximum size in bytes of a set's encoded images that are kept in memory."""
_MOST_CLASSES = 2**31
_Values: TypeAlias = dict[str, list[Any]]
"""Values of small features, by name."""


class Reader(Protocol):
    """Examples by their numbers."""

    def __len__(self) -> int: ...

    def read(self, names: Sequence[str], ids: Sequence[int]) -> Mapping[str, Sequence[Any]]:
        """Return the values of some features, by name; None where a value is missing.

        Images are the bytes of their files, texts strings, labels and numbers scalars, arrays NumPy arrays.
        """
        ...


class Described(NamedTuple):
    """Set that describes its features."""

    what: str
    """Name of the set in messages."""
    name: str
    features: Features
    reader: Reader
    """Examples of all splits, one after another."""
    parts: np.ndarray | None
    """`[N]` part numbers; None divides the set 80/10/10."""


_Maker: TypeAlias = Callable[[Described, Chosen, Sequence[str], Preparation], tuple[Whole, _Values]]


def open_described(source: Described, chosen: Chosen, preparation: Preparation) -> Dataset:
    """Make a data set of the chosen features; images and arrays are read when they are needed.

    Raises:
        InputError: an example cannot be read or used.
    """
    what, label = source.what, chosen.label
    _announce(source, chosen)
    if chosen.part != "image":
        refuse_sizes(preparation, what)
    if preparation.columns:
        raise InputError(f"columns: {what} says itself what its features are; leave it out")
    further = [*chosen.attributes, *([label] if label else [])]
    whole, values = _maker(source, chosen)(source, chosen, further, preparation)
    numbers, classes = _classes(source, label, values[label]) if label else (None, ())
    attributes = {short: _attribute(values[name]) for name, short in short_names(chosen.attributes).items()}
    split = whole.split._replace(label=numbers, attributes=attributes)
    data = divided(what, source.name, whole._replace(split=split, classes=classes))
    return data.map_splits(without_unknown_labels)


def read_described(source: Described, chosen: Chosen, preparation: Preparation) -> Stored:
    """Read the examples of all splits, one after another, as objects in memory are read.

    Raises:
        InputError: an example cannot be read or used.
    """
    _announce(source, chosen)
    if chosen.part not in ("text", "columns"):
        whole, _ = _maker(source, chosen)(source, chosen, (), preparation)
        return {chosen.part: whole.split.x[:]}
    values = _gather(source.reader, chosen.names)
    if chosen.part == "columns":
        named = {name: _named(source.features[name], found) for name, found in values.items()}
        return needed_by(source.what, "pyarrow").table(named)
    (texts,) = values.values()
    if None in texts:
        raise InputError(
            f"{_example(source.what, texts.index(None))} has no {chosen.names[0]!r}; choose another feature"
        )
    return [" ".join(words.split()[: chosen.words]) for words in texts]


def _announce(source: Described, chosen: Chosen) -> None:
    logger.info("%s", shown(source.what, source.features, chosen))
    if not len(source.reader):
        raise InputError(f"{source.what}: holds no example; name another set")


def _maker(source: Described, chosen: Chosen) -> _Maker:
    if chosen.part in ("text", "columns"):
        return _text if chosen.part == "text" else _table
    return _image_files if source.features[chosen.names[0]].kind == "image" else _arrays


def _batches(num: int) -> Iterator[range]:
    return (range(first, min(first + _RECORDS_AT_ONCE, num)) for first in range(0, num, _RECORDS_AT_ONCE))


def _gather(reader: Reader, names: Sequence[str]) -> _Values:
    """Return all values of small features."""
    values: _Values = {name: [] for name in names}
    for ids in _batches(len(reader)) if names else ():
        for name, found in reader.read(names, ids).items():
            values[name].extend(found)
    return values


# Examples, and the values of further features


def _image_files(
    source: Described, chosen: Chosen, further: Sequence[str], preparation: Preparation
) -> tuple[Whole, _Values]:
    """Survey the headers of all images; keep the files if they are small together."""
    reader, what, name = source.reader, source.what, chosen.names[0]
    survey, room = Survey(), _KEPT_BYTES
    values: _Values = {other: [] for other in further}
    kept: list[bytes] = []
    for ids in _batches(len(reader)):
        found = reader.read([name, *further], ids)
        for i, file in zip(ids, found[name]):
            if file is None:
                raise InputError(f"{_example(what, i)} has no {name!r}; choose another feature")
            survey.add(read_header(io.BytesIO(file), _example(what, i)), _example(what, i))
            room -= len(file)
            if room >= 0:
                kept.append(file)
        for other in further:
            values[other].extend(found[other])
    form = survey.form(what, preparation)
    if room < 0:
        kept.clear()

    def read(ids: np.ndarray) -> np.ndarray:
        files = [kept[i] for i in ids] if kept else reader.read([name], ids.tolist())[name]
        return decode_images([Page(_example(what, i), partial(io.BytesIO, file)) for i, file in zip(ids, files)], form)

    rows = LazyRows(read, (len(reader), *form.shape), form.dtype)
    return Whole(Split(rows), source.parts, preparation=form.named), values


def _arrays(
    source: Described, chosen: Chosen, further: Sequence[str], preparation: Preparation
) -> tuple[Whole, _Values]:
    name, values = chosen.names[0], _gather(source.reader, further)
    feature, what = source.features[name], f"{source.what}: feature {name!r}"

    def read(ids: np.ndarray) -> np.ndarray:
        found = source.reader.read([name], ids.tolist())[name]
        if any(value is None for value in found):
            raise InputError(f"{what} is missing in some examples; choose another feature")
        return np.stack([np.asarray(value, feature.dtype).reshape(feature.shape) for value in found])

    rows = LazyRows(read, (len(source.reader), *feature.shape), feature.dtype)
    if chosen.part == "image":
        image = resized(check_image(what, rows), preparation, what)
        return Whole(Split(image), source.parts, preparation=preparation.named(alpha=False)), values
    found = examples(what, chosen.part, rows)
    return Whole(Split(found.rows), source.parts, found.space), values


def _text(source: Described, chosen: Chosen, further: Sequence[str], preparation: Preparation) -> tuple[Whole, _Values]:
    """Number the words; examples without words are left out, as blank lines of a text file."""
    name, parts = chosen.names[0], source.parts
    values = _gather(source.reader, [name, *further])
    ids = [i for i, words in enumerate(values[name]) if words and words.split()]
    values = {key: [found[i] for i in ids] for key, found in values.items()}
    lines = [" ".join(words.split()[: chosen.words]) if chosen.words else words for words in values[name]]
    if not lines:
        raise InputError(f"{source.what}: feature {name!r} holds no words; choose another with ?text=")
    return sentences.whole_set(source.what, lines, None if parts is None else parts[ids], preparation), values


def _table(
    source: Described, chosen: Chosen, further: Sequence[str], preparation: Preparation
) -> tuple[Whole, _Values]:
    values = _gather(source.reader, [*chosen.names, *further])
    columns = [
        _column(f"{source.what}: feature {name!r}", name, source.features[name], values[name]) for name in chosen.names
    ]
    rows, space, facts = table_examples(columns)
    return Whole(Split(rows), source.parts, space, facts=facts), values


def _example(what: str, index: int) -> str:
    return f"{what}: example {index}"


# Values


def _column(what: str, name: str, feature: Feature, values: Sequence[Any]) -> Column:
    observed = np.array([value is not None for value in values])
    if not observed.any():
        raise InputError(f"{what} is empty; choose the others with ?columns=")
    if feature.kind == "label":
        codes = np.array([-1 if value is None else value for value in values], np.int32)
        names = feature.names or tuple(map(str, range(codes.max() + 1)))
        return Column(name, np.maximum(codes, 0), codes >= 0, names)
    if feature.kind == "number" and feature.dtype.kind != "b":
        return number_column(what, name, np.array([0 if value is None else value for value in values]), observed)
    words = ["" if value is None else str(value) for value in values]
    return word_column(what, name, np.array(words), observed)


def _named(feature: Feature, values: Sequence[Any]) -> list[Any]:
    """Return the values of a column with words in place of class numbers and truth values."""
    if feature.kind == "label" and feature.names:
        return [None if value is None or value < 0 else feature.names[value] for value in values]
    is_word = feature.kind == "label" or feature.dtype.kind == "b"
    return [None if value is None else str(value) for value in values] if is_word else list(values)


def _classes(source: Described, name: str, values: Sequence[Any]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return class numbers, -1 where there is none, and the names of the classes."""
    feature = source.features[name]
    if feature.kind == "text":
        names = class_order(word for word in values if word is not None)
        number = {word: i for i, word in enumerate(names)}
        return np.array([number.get(word, -1) for word in values], np.int32), names
    numbers = np.array([-1 if value is None else int(value) for value in values], np.int64)
    if numbers.min() < -1 or numbers.max() >= _MOST_CLASSES:
        found = f"holds numbers from {numbers.min()} to {numbers.max()}"
        raise InputError(f"{source.what}: feature {name!r} {found}; choose another as label, or none: ?label=")
    return numbers.astype(np.int32), feature.names


def _attribute(values: Sequence[Any]) -> np.ndarray:
    if any(value is None for value in values):
        return np.array([np.nan if value is None else value for value in values], np.float32)
    numbers = np.array(values)
    return numbers.astype(np.int32) if numbers.dtype.kind == "b" else numbers
