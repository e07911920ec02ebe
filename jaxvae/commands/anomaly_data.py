"""Examples that anomaly scores are asked of, and which of them are anomalies."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxvae.data import Dataset, Split, is_place, load
from jaxvae.data.labels import class_numbers
from jaxvae.data.places import exists
from jaxvae.data.rows import gather
from jaxvae.data.sources.series import series_split
from jaxvae.errors import InputError
from jaxvae.report.columns import joined
from jaxvae.runs import Run
from jaxvae.runs.codes import columns_about

ATTRIBUTES = ("anomaly", "is_anomaly")
"""Names of attributes that are not 0 for anomalies."""


class Asked(NamedTuple):
    """Examples to score."""

    split: Split
    about: dict[str, np.ndarray]
    """Columns that tell them apart, see `columns_about`."""
    classes: tuple[str, ...]
    time: np.ndarray | None = None
    """`[N]` time of the last point of each window of a series; None of other examples."""


def asked(
    run: Run, data: Dataset, dataset: str | None, splits: Sequence[str] | None, data_dir: Path | None = None
) -> Asked:
    """Return the test split of the run's data, or the splits of another set, read as the run reads its own.

    Raises:
        InputError: the set is of another kind, or has no such split; or the run is conditional, and the set another.
    """
    if dataset is None:
        time = None if run.recipe.data.window_length is None else data.test.attributes["time"]
        return Asked(data.test, columns_about("test", data.test, data.classes), data.classes, time)
    if run.condition is not None:
        raise InputError("dataset: this run has conditions, which another set has not; leave it out")
    if run.recipe.data.window_length is not None:
        return _windows(run, data, dataset)
    other = load(dataset, data_dir or run.recipe.data.data_dir, stream=True, preparation=run.recipe.preparation)
    there = {"train": other.train, "validation": other.validation, "test": other.test}
    if missing := [name for name in splits or () if not there[name]]:
        raise InputError(f"split: {other.name} has no {missing[0]} split; name another")
    parts = {name: part for name, part in there.items() if part and name in (splits or there)}
    about = joined([columns_about(name, part, other.classes) for name, part in parts.items()])
    rows = [_as_the_run_reads(run, part, dataset) for part in parts.values()]
    attributes = {name: about[name] for name in next(iter(parts.values())).attributes if name in about}
    split = rows[0]._replace(
        x=_together([row.x for row in rows]),
        label=about.get("label"),
        attributes=attributes,
        origin=None,
        space=data.space,
    )
    return Asked(split, about, other.classes)


def beside(run: Run, data: Dataset, others: str, data_dir: Path | None, num: int | None = None) -> Asked:
    """Return the run's test split, and behind it the test split of another set, all of them anomalies.

    Raises:
        InputError: the other set is of another kind; or the run is conditional.
    """
    mine, theirs = (
        first_of(one, num) for one in (asked(run, data, None, None), asked(run, data, others, ("test",), data_dir))
    )
    told = np.repeat([0, 1], [mine.split.num_examples, theirs.split.num_examples])
    about = joined(
        [
            {"set": np.full(one.split.num_examples, name), **one.about}
            for one, name in ((mine, data.name), (theirs, others))
        ]
    )
    attributes = {ATTRIBUTES[0]: told}
    x = _together([mine.split.x, theirs.split.x])
    return Asked(Split(x, attributes=attributes, space=data.space), about, ())


def first_of(found: Asked, num: int | None) -> Asked:
    """Return the first `num` examples; all if it is None."""
    if num is None:
        return found
    about = {name: values[:num] for name, values in found.about.items()}
    time = None if found.time is None else found.time[:num]
    return found._replace(split=found.split.head(num), about=about, time=time)


def _windows(run: Run, data: Dataset, dataset: str) -> Asked:
    """Return the windows of a whole series that end at each of its points."""
    path = exists(dataset)
    if path is None:
        raise InputError(f"dataset: there is no file {dataset!r}; give the path of a series")
    assert run.recipe.data.window_length is not None
    stored = series_split(path, run.recipe.data.window_length)
    split = run.as_split(gather(stored.x, slice(None)))._replace(
        attributes=stored.attributes, origin=None, space=data.space
    )
    return Asked(split, columns_about("series", split), (), stored.attributes["time"])


def _as_the_run_reads(run: Run, part: Split, dataset: str) -> Split:
    """Return a split scaled as the run's data are; columns of a table are found by their names."""
    if run.facts.get("names", {}).get("columns") and is_place(dataset) and part.origin is not None:
        return run.as_split(dataset).take(part.origin)
    return run.as_split(gather(part.x, slice(None)))  # as arrays, because a split counts as scaled


def _together(parts: Sequence[Any]) -> Any:
    """Return rows `[N, ...]` of several splits, one after another."""
    return jax.tree.map(lambda *arrays: np.concatenate(arrays), *[gather(part, slice(None)) for part in parts])


def anomalies(found: Asked, normal: Sequence[str]) -> np.ndarray | None:
    """Return `[N]` True for an anomaly, or None where nothing tells.

    Args:
        found: examples.
        normal: classes that are normal, by name or number; if there are none, an attribute tells.

    Raises:
        InputError: there are no labels, or no such class.
    """
    split = found.split
    if normal:
        numbers = class_numbers("normal", split, normal, found.classes)
        return ~np.isin(np.asarray(split.label), numbers)
    name = next((name for name in ATTRIBUTES if name in split.attributes), None)
    told = None if name is None else np.asarray(split.attributes[name]) != 0
    return told if told is not None and told.any() and not told.all() else None
