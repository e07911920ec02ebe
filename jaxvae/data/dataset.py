"""Data set: named splits of examples, in memory or on disk, with labels where there are any."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import jax
import numpy as np

from jaxvae.data.memory import check_fits
from jaxvae.data.rows import Rows, Subset, blocks, gather, num_bytes, num_rows
from jaxvae.data.spaces.cells import like_data
from jaxvae.data.spaces.judged import image_space
from jaxvae.data.spaces.quadrants import Quadrants
from jaxvae.data.spaces.shown import Cells, Shown
from jaxvae.data.spaces.shown import noun as noun
from jaxvae.data.spaces.values import as_values, full_scale
from jaxvae.types import Space

if TYPE_CHECKING:
    from jaxvae.data.conditions import Condition
    from jaxvae.data.scaling import Scaling

Examples: TypeAlias = Any
"""Stored examples: rows `[N, ...]`, or a dict of such rows, indexed like arrays."""
EXAMPLES, CONDITION = "x", "condition"
"""Names of what is gathered for a step."""


class Split(NamedTuple):
    """Split of a data set, as stored: grey values stay uint8 until a batch is made."""

    x: Examples
    """`[N, ...]` examples, such as `[N, H, W, C]` uint8; in a table a dict of such arrays."""
    label: np.ndarray | None = None
    """`[N]` int32 class numbers."""
    attributes: Mapping[str, np.ndarray] = MappingProxyType({})
    """`[N]` integers or floats by name: further attributes of each example."""
    space: Space | None = None
    """Meaning of the examples; None reads them by their type alone."""
    condition: np.ndarray | None = None
    """`[N]` or `[N, A]` stored conditions of a conditional model, such as class numbers; see `conditioned`."""
    condition_space: Space | None = None
    """Meaning of the conditions; None where they are as a model gets them."""
    origin: np.ndarray | None = None
    """`[N]` row of each example in a set that was divided here; None where its owner keeps the splits apart."""

    @property
    def num_examples(self) -> int:
        """Number N of examples."""
        return num_rows(self.x)

    @property
    def num_labelled(self) -> int:
        """Number of examples whose class is known."""
        return 0 if self.label is None else int((self.label >= 0).sum())

    @property
    def is_conditional(self) -> bool:
        """True where a model gets a condition of each example, which is stored or is a part of it."""
        return self.condition is not None or self.condition_space is not None

    def take(self, ids: np.ndarray) -> Split:
        """Return the examples with these indices `[M]`; rows on disk stay there."""
        x = jax.tree.map(lambda rows: Subset(rows, ids), self.x)
        arrays = {"label": self.label, "attributes": dict(self.attributes), "condition": self.condition}
        return self._replace(x=x, **gather({**arrays, "origin": self.origin}, ids))

    def head(self, num: int) -> Split:
        """Return the split of its first `num` examples, fewer where it is smaller."""
        return self.take(np.arange(min(num, self.num_examples)))

    def first(self, num: int) -> Any:
        """Return `[num, ...]` examples as the model sees them, fewer where the split is smaller; nothing is drawn."""
        return as_values(gather(self.x, slice(num)))

    def mean(self) -> Any:
        """Return the mean example, with bytes in [0, 1]; where values are missing the mean of those observed."""
        mean = jax.tree.map(_mean, self.x)
        if not (isinstance(mean, dict) and mean.keys() == {"x", "observed"}):
            return mean
        return mean["x"] / np.maximum(mean["observed"], 1 / self.num_examples)

    def rows(self) -> dict[str, Examples]:
        """Return the rows that a step gathers: examples as `x` and, where there are any, conditions as `condition`."""
        return {EXAMPLES: self.x, **({} if self.condition is None else {CONDITION: self.condition})}

    def read(self, x: Any, condition: Any) -> tuple[Any, Any]:
        """Convert stored rows of the split to examples and conditions as a model gets them; nothing is drawn."""
        read = as_values(x) if self.space is None else self.space.read(None, x)
        return read, read_condition(self.condition_space, read, condition)

    def conditions(self) -> np.ndarray | None:
        """Return `[N, C]` conditions as a model gets them, such as one-hot vectors; None without conditions."""
        if not self.is_conditional:
            return None
        x = self.first(self.num_examples) if isinstance(self.condition_space, Quadrants) else None
        return np.asarray(read_condition(self.condition_space, x, self.condition))


class Dataset(NamedTuple):
    """Data set with its splits."""

    name: str
    train: Split
    test: Split
    validation: Split | None = None
    classes: tuple[str, ...] = ()
    """Names of the classes: label i means `classes[i]`. Empty where there are no names."""
    preparation: Mapping[str, str] = MappingProxyType({})
    """Preparation of the stored images, by the option's name: resize, crop, background."""
    scaling: Scaling | None = None
    """Scaling of the values; None where they are as stored."""
    condition: Condition | None = None
    """Meaning of the conditions of its splits; None without conditions."""
    facts: Mapping[str, Any] = MappingProxyType({})
    """Plain values that belong to the space and are too long for it: words, names of columns and of categories."""

    @property
    def space(self) -> Space:
        """Meaning of the examples; that of images, judged by their values, where nothing is said."""
        return self.train.space or image_space(self.train.x)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one example."""
        return self.space.shape

    @property
    def noun(self) -> str:
        """Word for several examples in messages and titles."""
        return noun(self.space)

    @property
    def pixels(self) -> str:
        """Meaning of a value, see `Space.kind`."""
        return self.space.kind

    def map_splits(self, function: Callable[[Split], Split]) -> Dataset:
        """Apply a function to every split."""
        validation = function(self.validation) if self.validation else None
        return self._replace(train=function(self.train), test=function(self.test), validation=validation)

    def map_examples(self, function: Callable[[Examples], Examples], space: Space | None = None) -> Dataset:
        """Apply a function to the examples of every split, which may change their meaning."""
        return self.map_splits(lambda split: split._replace(x=function(split.x), space=space or split.space))

    def of_space(self, space: Space) -> Dataset:
        """Return the same examples with this meaning."""
        return self.map_splits(lambda split: split._replace(space=space))

    def in_memory(self) -> Dataset:
        """Read the whole set into memory.

        Raises:
            InputError: it takes more memory than there is.
        """
        rows = jax.tree.leaves([split.x for split in (self.train, self.validation, self.test) if split])
        stored = num_bytes([one for one in rows if not isinstance(one, np.ndarray)])
        check_fits(f"dataset: {self.name}", stored, "make its images smaller or fewer, or read them with stream=True")
        return self.map_examples(lambda x: gather(x, slice(None)))

    def show(self, x: Any, *, generated: bool = False) -> Shown:
        """Present examples `[N, ...]` with the set's names; cells of a table are in the data's own units.

        Those that are generated have the decimals and the range of the data.
        """
        shown: Shown = self.space.show(x, self.facts)
        if isinstance(shown, Cells):
            x = x if self.scaling is None else self.scaling.undo_examples(x, generated=generated)
            shown = self.space.show(like_data(x, self.facts) if generated else x, self.facts)
        return shown

    def fingerprint(self) -> str:
        """Compute the sha256 of every split's examples, labels and attributes: equal data have equal fingerprints."""
        digest = hashlib.sha256(getattr(self.space, "digest", "").encode())
        for split in (self.train, self.validation, self.test):
            for name, array in _arrays(split) if split else ():
                digest.update(f"{name}{array.dtype.str}{array.shape}".encode())
                for block in blocks(array):
                    digest.update(np.ascontiguousarray(block).data)
        return digest.hexdigest()


def read_condition(space: Space | None, x: Any, stored: Any) -> Any:
    """Return conditions as a model gets them.

    Args:
        space: meaning of the conditions; None where they are as a model gets them.
        x: `[B, ...]` examples as the model gets them, of which a condition may be a part.
        stored: `[B, ...]` conditions as stored; None where nothing is stored.
    """
    if isinstance(space, Quadrants) and stored is None:
        return space.of(x)
    return stored if space is None else space.read(None, stored)


def _mean(rows: Rows) -> np.ndarray:
    total = sum(block.sum(axis=0, dtype=np.float64) for block in blocks(rows))
    return np.asarray(total / len(rows), np.float32) / full_scale(rows)


def _arrays(split: Split) -> Iterator[tuple[str, Rows]]:
    """Yield all arrays of a split; only attributes and a table's arrays need names to be distinguished."""
    yield from sorted(split.x.items()) if isinstance(split.x, dict) else [("", split.x)]
    if split.label is not None:
        yield "", split.label
    yield from sorted(split.attributes.items())
