"""Samples of a trained model in a grid: of the prior, or in each row under another condition."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from jaxvae import rng
from jaxvae.data import Dataset, Split
from jaxvae.data.conditions import Classes, Condition, Seen
from jaxvae.data.spaces import Table
from jaxvae.data.spaces.shown import Pictures
from jaxvae.evaluation import in_blocks
from jaxvae.model import VAE, draw_each, sample_each
from jaxvae.report import figures, presentations
from jaxvae.report.display import value_limits
from jaxvae.types import Key, Params

MOST_ROWS = 20
"""Maximum number of conditions in a grid."""
LOOKED_AT = 64
"""Number of test images for the range of values."""
COLUMNS, EACH = 16, 10
"""Samples in a row of a grid: of one condition or without, and of several conditions."""


class Grid(NamedTuple):
    """Decoded samples, row by row."""

    images: Any
    """`[N, ...]` samples."""
    columns: int
    rows: tuple[str, ...]
    """Names of the rows, if each has a condition of its own."""
    title: str
    columns_are: tuple[str, ...] = ()
    """Names of the columns."""

    def save(self, path: Path, data: Dataset) -> None:
        """Write the samples as the data are presented; pictures have the range of test images."""
        shown = data.show(self.images, generated=True)
        if not isinstance(shown, Pictures):
            presentations.save(path, [shown], names=["sample"], title=self.title)
            return
        names: dict[str, Any] = {"row_labels": self.rows, "column_labels": self.columns_are}
        limits = value_limits(data.test.first(LOOKED_AT))
        figures.save_grid(path, shown.values, columns=self.columns, title=self.title, limits=limits, **names)


def save_stages(path: Path, data: Dataset, stages: Mapping[str, Any], title: str) -> None:
    """Write examples, and what was generated from them in one or more steps, by the names of the stages."""
    shown = [data.show(stage, generated=number > 0) for number, stage in enumerate(stages.values())]
    presentations.save(path, shown, names=[*stages], title=title)


def are_pictures(data: Dataset) -> bool:
    """Return True if examples are shown as pictures."""
    return isinstance(data.show(data.test.first(1)), Pictures)


def end_of_files(data: Dataset) -> str:
    """Return the end of the names of files with examples."""
    return presentations.suffix(data.show(data.test.first(1)))


def sample_grid(
    model: VAE,
    params: Params,
    key: Key,
    num: int | None = None,
    *,
    split: Split,
    condition: Condition | None = None,
    chosen: str | None = None,
) -> Grid:
    """Sample a model; a conditional one under each condition in turn, or under one that is chosen.

    Args:
        model: trained model.
        params: its parameters.
        key: one key.
        num: number of samples, of each condition where there are several; 64 or 10 if not given.
        split: split whose first examples' conditions are used, where these are not classes.
        condition: meaning of the conditions; None for a model without.
        chosen: one condition for all samples, as `Condition.parse` takes it.

    Raises:
        InputError: the chosen condition is none of the model's.
    """
    title = "decoded samples of the prior"
    # In a table the likeliest categories would be the same in row after row.
    grid = partial(_grid, model, params, key, draw=draw_each if isinstance(split.space, Table) else sample_each)
    if condition is None:
        return grid(num or 64, None, (), title)
    if chosen is not None:
        return grid(num or 64, condition.parse(chosen)[None], (), f"{title}, as {chosen}")
    if isinstance(condition, Classes):
        some = condition.names[:MOST_ROWS]
        conditions = np.eye(len(condition.names), dtype=np.float32)[: len(some)]
        return grid(num or EACH, conditions, some, f"{title}, a class in each row")
    if isinstance(condition, Seen):
        return completions(model, params, key, num or EACH, split.head(EACH), condition)
    conditions = np.asarray(split.head(EACH).conditions())
    names = tuple(f"test {number}" for number in range(len(conditions)))
    title = f"{title}, in each row with the {', '.join(condition.names)} of a test example"
    return grid(num or EACH, conditions, names, title)


def completions(model: VAE, params: Params, key: Key, num: int, split: Split, seen: Seen) -> Grid:
    """Complete what a model sees of images, `num` times each, with what it sees before and the true image after."""
    images, names = split.first(split.num_examples), tuple(f"test {number}" for number in range(split.num_examples))
    of_each = _grid(model, params, key, num, np.asarray(seen.space.of(images)), names, "").images
    of_each = of_each.reshape(len(images), num, *images.shape[1:])
    shown = np.where(seen.space.mask, images, (images.min() + images.max()) / 2)
    rows = np.concatenate([shown[:, None], of_each, images[:, None]], axis=1)
    title = f"decoded samples of the prior, given the {' and '.join(seen.names)} of test images"
    columns = ("seen", *map(str, range(1, num + 1)), "true")
    return Grid(rows.reshape(-1, *images.shape[1:]), num + 2, names, title, columns)


def _grid(
    model: VAE,
    params: Params,
    key: Key,
    num: int,
    conditions: np.ndarray | None,
    names: tuple[str, ...],
    title: str,
    *,
    draw: Callable[..., Any] = sample_each,
) -> Grid:
    """Draw `num` samples for each of the conditions `[K, C]`."""
    given = None if conditions is None else conditions.repeat(num, axis=0)
    keys = rng.sample_keys(key, num if given is None else len(given))
    images = in_blocks(lambda keys, given: draw(model, params, keys, given), keys, given)
    return Grid(images, num if names else min(num, COLUMNS), names, title)
