"""Features of a described set, as of TFDS and Hugging Face, and the parts that they play in a data set."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from jaxvae.data.partition import SPLITS
from jaxvae.errors import InputError, did_you_mean

Kind: TypeAlias = Literal["image", "text", "label", "number", "array", "other"]


class Feature(NamedTuple):
    """Feature of every example, as the set describes it."""

    kind: Kind
    """image: an image file; text: a string; label: a class number; number: one number; array: several."""
    dtype: np.dtype = np.dtype(object)
    shape: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    """Names of the classes of a label."""


Features: TypeAlias = Mapping[str, Feature]


class Chosen(NamedTuple):
    """Features by the parts that they play."""

    part: str
    """One of `PARTS`: what the examples are."""
    names: tuple[str, ...]
    """Features that are the examples; several for columns alone."""
    label: str | None
    attributes: tuple[str, ...]
    """Numbers and classes of each example that are neither."""
    words: int | None = None
    """Number of the first words of each text that are used; None for all."""


PARTS: Mapping[str, tuple[Kind, ...]] = {
    "image": ("image", "array"),
    "x": ("array",),
    "counts": ("array",),
    "tokens": ("array",),
    "text": ("text",),
    "columns": ("number", "label", "text"),
}
"""Kinds of features that examples are made of, by what is asked for."""
_MOST_NAMED = 8
"""Largest number of features of one part that a line names."""
_LABEL, _TEXT, _WORDS = "label", "text", "words"
_SPLITS = ("train", "validation", "test")


def check_choices(what: str, asked: Collection[str], *further: str) -> None:
    """Refuse what cannot be chosen, before anything is read.

    Args:
        what: name of the set in messages.
        asked: what is asked for: one of `PARTS`, the label, splits.
        further: choices that sets of one kind have besides.

    Raises:
        InputError: there is no such choice, or two exclude each other.
    """
    known = (*PARTS, _LABEL, _WORDS, *_SPLITS, *further)
    if unknown := [key for key in asked if key not in known]:
        hint = did_you_mean(unknown[0], known)
        raise InputError(f"{what}: {unknown[0]!r} cannot be chosen{hint}; choose one of {', '.join(known)}")
    parts = [part for part in PARTS if part in asked]
    if len(parts) > 1:
        raise InputError(f"{what}: both {parts[0]!r} and {parts[1]!r} are chosen; choose one")


def choose(what: str, features: Features, asked: Mapping[str, str], supervised: str | None = None) -> Chosen:
    """Choose the features that are examples, labels and attributes.

    Choices of the user come first. Otherwise the one image is the example, or else the one array, or else the text, or
    else all numbers and words are columns of a table. The label is a feature of this name, the one that the set is
    meant to predict, or the only feature with classes. All other numbers and classes are attributes.

    Args:
        what: name of the set in messages.
        features: features by name.
        asked: names of features by part, and of the label; an empty label is none; number of words of a text.
        supervised: feature that the set is meant to predict.

    Raises:
        InputError: what is asked for is not there, or several features could be meant.
    """
    parts = [part for part in PARTS if part in asked]
    label = _label(what, features, asked, supervised)
    if parts:
        part, names = parts[0], tuple(asked[parts[0]].split(",")) if parts[0] == "columns" else (asked[parts[0]],)
        for name in names:
            _check(what, features, part, name)
    else:
        part, names = _examples(what, features, label)
    rest = [name for name, one in features.items() if one.kind in ("number", "label") and name not in (*names, label)]
    attributes = tuple(rest) if part != "columns" else ()
    return Chosen(part, names, None if label in names else label, attributes, _words(what, part, asked))


def shown(what: str, features: Features, chosen: Chosen) -> str:
    """Describe in one line which features are used, which are not, and how others are chosen.

    >>> features = {"photo": Feature("image"), "kind": Feature("label"), "id": Feature("text")}
    >>> shown("hf:pets", features, choose("hf:pets", features, {}))
    "hf:pets: image 'photo', label 'kind', not used 'id'; others are chosen as in hf:pets?image=NAME&label=NAME"
    """
    used = {chosen.part: chosen.names, _LABEL: [chosen.label] if chosen.label else [], "attributes": chosen.attributes}
    used["not used"] = sorted(features.keys() - {name for names in used.values() for name in names})
    found = ", ".join(f"{part} {_listed(names)}" for part, names in used.items() if names)
    return f"{what}: {found}; others are chosen as in {what}?{chosen.part}=NAME&label=NAME"


def _listed(names: Sequence[str]) -> str:
    more = [f"{len(names) - _MOST_NAMED} more"] if len(names) > _MOST_NAMED else []
    return ", ".join([*map(repr, names[:_MOST_NAMED]), *more])


def short_names(names: Iterable[str]) -> dict[str, str]:
    """Return the last parts of names such as `attributes/smile` where they differ, else the names, by the names."""
    names = list(names)
    last = [name.rsplit("/", 1)[-1] for name in names]
    return {name: short if last.count(short) == 1 else name for name, short in zip(names, last)}


def split_parts(what: str, splits: Iterable[str], asked: Mapping[str, str]) -> dict[str, int] | None:
    """Return part numbers by the names of splits; None for a single one, which is then divided.

    Splits of other names than train, validation and test, such as `extra`, are left out unless they are asked for.

    Raises:
        InputError: train or test is missing, or what is asked for is not there.
    """
    splits = list(splits)
    chosen = {split: SPLITS[part] for part in _SPLITS if (split := asked.get(part)) is not None}
    if missing := [split for split in chosen if split not in splits]:
        hint = did_you_mean(missing[0], splits)
        raise InputError(f"{what}: has no split {missing[0]!r}{hint}; choose of {', '.join(splits)}")
    if len(splits) == 1 and not chosen:
        return None
    by_name = {split: SPLITS[split.lower()] for split in splits if split.lower() in SPLITS}
    parts = {split: part for split, part in by_name.items() if part not in chosen.values()} | chosen
    if not {SPLITS["train"], SPLITS["test"]} <= set(parts.values()):
        remedy = f"say which is which, such as {what}?train={splits[0]}&test={splits[-1]}"
        raise InputError(f"{what}: holds the splits {', '.join(splits)}, but train and test are needed; {remedy}")
    return parts


def _check(what: str, features: Features, part: str, name: str) -> None:
    """Refuse a feature that is not there, or of another kind than the part needs."""
    if name not in features:
        raise InputError(
            f"{what}: has no feature {name!r}{did_you_mean(name, features)}; choose of {', '.join(features)}"
        )
    if features[name].kind not in PARTS.get(part, ("label", "number", "text")):
        raise InputError(f"{what}: feature {name!r} is of kind {features[name].kind}, which is no {part}")


def _label(what: str, features: Features, asked: Mapping[str, str], supervised: str | None) -> str | None:
    if _LABEL in asked:
        if asked[_LABEL]:
            _check(what, features, _LABEL, asked[_LABEL])
        return asked[_LABEL] or None
    classes = [name for name, feature in features.items() if feature.kind == "label"]
    usable = {*classes, *(name for name, one in features.items() if one.kind == "number" and one.dtype.kind in "iu")}
    if _LABEL in usable or (_LABEL in features and features[_LABEL].kind == "text"):
        return _LABEL
    if supervised in usable:
        return supervised
    return classes[0] if len(classes) == 1 else None


def _words(what: str, part: str, asked: Mapping[str, str]) -> int | None:
    if (words := asked.get(_WORDS)) is None:
        return None
    if part != _TEXT or not (words.isascii() and words.isdigit()) or not int(words):
        raise InputError(f"{what}: words={words}: give a number from 1, for a text")
    return int(words)


def _examples(what: str, features: Features, label: str | None) -> tuple[str, tuple[str, ...]]:
    """Find the features that are examples."""
    by_kind: dict[str, list[str]] = {}
    for name, feature in features.items():
        if name != label:
            by_kind.setdefault(feature.kind, []).append(name)
    if images := by_kind.get("image"):
        return "image", (_only(what, "image", images),)
    if arrays := by_kind.get("array"):
        name = _only(what, "x", arrays)
        if features[name].dtype.kind != "f" and len(features[name].shape) < 3:
            remedy = f"say which: {what}?counts={name}, ?tokens={name} or ?x={name}"
            found = f"feature {name!r} holds integers, which may be counts, tokens or numbers"
            raise InputError(f"{what}: {found}; {remedy}")
        return "image" if len(features[name].shape) == 3 else "x", (name,)
    texts, others = by_kind.get("text", []), by_kind.get("number", []) + by_kind.get("label", [])
    if _TEXT in texts or (texts and not others):
        return "text", (_TEXT if _TEXT in texts else _only(what, "text", texts),)
    if not others:
        raise InputError(f"{what}: has no image, text or number to learn, only {', '.join(features)}; name another set")
    return "columns", tuple(name for name in features if name in (*texts, *others))


def _only(what: str, part: str, names: list[str]) -> str:
    if len(names) > 1:
        raise InputError(f"{what}: {', '.join(names)} could each be the {part}; choose one: {what}?{part}={names[0]}")
    return names[0]
