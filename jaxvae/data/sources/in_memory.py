"""Data sets of objects in memory: the same as of a file of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jaxvae.data.classes import class_order
from jaxvae.data.conditions import LABEL
from jaxvae.data.dataset import Dataset
from jaxvae.data.partition import SPLITS, Whole, check_splits, divided
from jaxvae.data.preparation import Preparation
from jaxvae.data.sources import cells, keyed, sentences, tables, text
from jaxvae.data.sources.archive import ArrayHeader
from jaxvae.data.sources.joining import join, num_examples
from jaxvae.data.sources.misnamed import label_advice
from jaxvae.data.sources.objects import Stored, as_array, key_of, read_object
from jaxvae.data.sources.pictures import ENCODED
from jaxvae.errors import InputError

WHAT = "data"
"""Name of the argument in messages."""


def open_object(thing: Any, label: Any, attributes: Mapping[str, Any] | None, preparation: Preparation) -> Dataset:
    """Make a data set of an object in memory.

    Args:
        thing: array, dict of arrays, table, AnnData, sparse matrix, list of sentences; a pair of one of these and its
            labels; or a mapping of splits to any of them.
        label: `[N]` labels, or None.
        attributes: `[N]` numbers by name, or None.
        preparation: size of images.

    Raises:
        InputError: the object cannot be used.
    """
    if _is_splits(thing):
        if label is not None or attributes:
            raise InputError('label: splits bring their own labels; give {"train": (x, label), "test": (x, label)}')
        stored, parts, label = _join_splits(thing)
    else:
        thing, label = _pair(thing, label)
        stored, parts = _read(WHAT, thing, described=label is not None or bool(attributes)), None
    whole = _whole(stored, parts, preparation)
    if label is not None:
        whole = _labelled(whole, as_array("label", label))
    for name, values in (attributes or {}).items():
        whole = _with_attribute(whole, name, as_array(f"attributes: {name!r}", values))
    return divided(WHAT, _name(stored), whole)


def _is_splits(thing: Any) -> bool:
    """Return True for a mapping with the names of splits, and no others."""
    return isinstance(thing, Mapping) and bool(thing) and all(str(name).lower() in SPLITS for name in thing)


def _pair(thing: Any, label: Any) -> tuple[Any, Any]:
    """Divide `(x, label)`; anything else is x."""
    if not isinstance(thing, tuple) or len(thing) != 2 or isinstance(thing[0], str):
        return thing, label
    if label is not None:
        raise InputError("label: the pair (x, label) has labels already; leave it out")
    return thing


def _read(what: str, thing: Any, *, described: bool) -> Stored:
    """Read an object; blank sentences are passed over where nothing describes them."""
    stored = read_object(what, thing)
    if isinstance(stored, np.ndarray):
        return {key_of(what, stored): stored}
    if not isinstance(stored, list):
        return stored
    if described and not all(map(str.split, stored)):
        number = next(number for number, line in enumerate(stored) if not line.split())
        raise InputError(f"{what}: sentence {number} is blank, but has a label or attribute; leave both out")
    return text.without_blank(what, stored)


def _join_splits(splits: Mapping[str, Any]) -> tuple[Stored, np.ndarray, np.ndarray | None]:
    """Return the examples of all splits, their part numbers, and their labels if they have any."""
    check_splits(WHAT, [*splits])
    pairs = {name: _pair(split, None) for name, split in splits.items()}
    stored = {name: _read(f"{WHAT}[{name!r}]", x, described=label is not None) for name, (x, label) in pairs.items()}
    sizes = [num_examples(split) for split in stored.values()]
    parts = np.repeat([SPLITS[name.lower()] for name in splits], sizes).astype(np.int32)
    labels = {name: as_array(f"label: {name!r}", label) for name, (_, label) in pairs.items() if label is not None}
    if labels and (len(labels) < len(splits) or len({label.dtype.kind for label in labels.values()}) > 1):
        raise InputError("label: some splits have none, or labels of another type; give all of one type, or none")
    for (name, label), size in zip(labels.items(), sizes):
        if label.shape != (size,):
            raise InputError(f"label: {name!r} has labels {label.shape} for {size} examples; give one for each")
    return join(WHAT, stored), parts, np.concatenate([*labels.values()]) if labels else None


def _whole(stored: Stored, parts: np.ndarray | None, preparation: Preparation) -> Whole:
    if isinstance(stored, list):
        if sentences.are_numbers(stored):
            raise InputError(f"{WHAT}: holds numbers and no words; give an array of numbers")
        return sentences.whole_set(WHAT, stored, parts, preparation)
    if isinstance(stored, cells.Cells):
        whole = cells.whole_set(WHAT, stored, preparation)
    elif isinstance(stored, dict):
        _check_keys([*stored])
        headers = {name: ArrayHeader(array.shape, array.dtype) for name, array in stored.items()}
        whole = keyed.whole_set(WHAT, stored, headers, preparation)
    else:
        whole = tables.whole_set(WHAT, stored, preparation)
    if parts is not None and whole.parts is not None:
        raise InputError(f"{WHAT}: its splits hold splits of their own; leave 'split' out of them")
    return whole if parts is None else whole._replace(parts=parts)


def _check_keys(names: Sequence[str]) -> None:
    known = (*keyed.EXAMPLES, *ENCODED)
    if not {*known}.intersection(names):
        found = f"{WHAT}: holds {', '.join(names) or 'nothing'}"
        raise InputError(f"{found}; name the examples one of {', '.join(known)}, or give a DataFrame")


def _labelled(whole: Whole, label: np.ndarray) -> Whole:
    """Add labels: class numbers, or names of classes, which are numbered in their order."""
    num = whole.split.num_examples
    if whole.split.label is not None:
        raise InputError("label: the data hold labels already; leave it out, or take them out of the data")
    if label.dtype.kind == "U" and label.shape == (num,):
        classes = class_order(label.tolist())
        number = {name: i for i, name in enumerate(classes)}
        label = np.array([number[name] for name in label.tolist()], np.int32)
        return whole._replace(split=whole.split._replace(label=label), classes=classes)
    numbers = keyed.check_integers("label: it", label, num, label_advice(label, num), least=-1)
    return whole._replace(split=whole.split._replace(label=numbers))


def _with_attribute(whole: Whole, name: str, values: np.ndarray) -> Whole:
    num, known = whole.split.num_examples, whole.split.attributes
    if name == LABEL:
        raise InputError("attributes: 'label' is the name of the labels; give them as label, or rename it")
    if values.dtype.kind not in "biuf" or values.shape != (num,):
        found = f"attributes: {name!r} is {values.dtype} {values.shape}"
        raise InputError(f"{found}; give numbers of shape ({num},), one per example")
    if name in known:
        raise InputError(f"attributes: the data hold {name!r} already; rename it")
    values = values.astype(np.int32) if values.dtype.kind == "b" else values
    return whole._replace(split=whole.split._replace(attributes={**known, name: values}))


def _name(stored: Stored) -> str:
    if isinstance(stored, list) or (isinstance(stored, dict) and "tokens" in stored):
        return "text"
    if isinstance(stored, cells.Cells) or (isinstance(stored, dict) and "counts" in stored):
        return "counts"
    return "array" if isinstance(stored, dict) else "table"
