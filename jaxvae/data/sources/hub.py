"""Sets of Hugging Face, read by its package `datasets`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jaxvae.data.dataset import Dataset
from jaxvae.data.places import asked, exists, stem
from jaxvae.data.preparation import Preparation
from jaxvae.data.sources.described import Described, open_described
from jaxvae.data.sources.features import Chosen, Feature, check_choices, choose, split_parts
from jaxvae.errors import InputError, first_line
from jaxvae.packages import needed_by

_FILES = {".parquet": "parquet", ".arrow": "arrow", ".csv": "csv", ".json": "json", ".jsonl": "json"}
"""Readers of single files, by the ends of their names."""
_CONFIG = "config"
"""Choice of one of the configurations of a set."""


def open_hub(name: str, preparation: Preparation) -> Dataset:
    """Open a set by its name, `hf:NAME?config=C&image=A&label=B`: on the hub, in the local cache, or a folder.

    A folder holds the files of a set, or what `save_to_disk` has written; a single file will do. Features and splits
    are chosen behind the question mark, see `features.choose`.

    Raises:
        InputError: `datasets` is not installed, there is no such set, or it cannot be read.
    """
    return open_described(*describe_hub(name), preparation)


def describe_hub(name: str) -> tuple[Described, Chosen]:
    """Return a set by its name, see `open_hub`, and the features that are chosen."""
    bare, chosen = asked(name)
    what = f"hf:{bare}"
    check_choices(what, chosen, _CONFIG)
    datasets = needed_by(what, "datasets", extra="hub")
    splits = _load(datasets, what, bare, chosen.get(_CONFIG))
    parts = split_parts(what, splits, chosen)
    used = list(parts or splits)
    first = splits[used[0]].features
    if any(splits[split].features != first for split in used):
        raise InputError(f"{what}: the splits {', '.join(used)} differ in their features; bring them to the same")
    rows = datasets.concatenate_datasets([splits[split] for split in used])
    features = {column: _feature(datasets, rows, column) for column in first}
    roles = choose(what, features, chosen)
    for column, feature in features.items():
        if feature.kind == "image":
            rows = rows.cast_column(column, datasets.Image(decode=False))
    sizes = [len(splits[split]) for split in used]
    numbers = None if parts is None else np.repeat([parts[split] for split in used], sizes)
    return Described(what, stem(name), features, _Reader(what, rows), numbers), roles


def _load(datasets: Any, what: str, name: str, config: str | None) -> dict[str, Any]:
    """Return the splits of a set by name; nothing is streamed, so that any example can be read."""
    folder = exists(name)
    try:
        if folder is not None and _is_saved(folder):
            loaded = datasets.load_from_disk(str(folder))
        elif folder is not None and folder.suffix.lower() in _FILES:
            loaded = datasets.load_dataset(_FILES[folder.suffix.lower()], data_files=str(folder))
        else:
            loaded = datasets.load_dataset(str(folder or name), config)
    except Exception as error:  # of names, connections and files; they have no common class
        remedy = "correct the name, name a folder, or load it once where there is a network"
        raise InputError(f"{what}: cannot be loaded ({first_line(error)}); {remedy}") from error
    return {"train": loaded} if isinstance(loaded, datasets.Dataset) else dict(loaded)


def _is_saved(folder: Path) -> bool:
    return (folder / "dataset_dict.json").exists() or (folder / "dataset_info.json").exists()


def _feature(datasets: Any, rows: Any, column: str) -> Feature:
    feature = rows.features[column]
    if isinstance(feature, datasets.Image):
        return Feature("image")
    if isinstance(feature, datasets.ClassLabel):
        return Feature("label", np.dtype(np.int64), names=tuple(feature.names))
    value = getattr(feature, "feature", feature)  # of a list
    shape = _shape(datasets, rows, column)
    if shape is None or not isinstance(value.dtype, str):
        return Feature("other")
    if value.dtype in ("string", "large_string"):
        return Feature("other" if shape else "text")
    try:
        dtype = np.dtype(value.dtype)
    except TypeError:
        dtype = np.dtype(object)
    if dtype.kind not in "biuf":  # times
        return Feature("other")
    return Feature("array" if shape else "number", dtype, shape)


def _shape(datasets: Any, rows: Any, column: str) -> tuple[int, ...] | None:
    """Return the shape of a column's values; None where it varies, or is not of numbers or words."""
    import pyarrow.compute

    feature = rows.features[column]
    if isinstance(feature, datasets.Value):
        return ()
    if isinstance(feature, datasets.Array2D | datasets.Array3D):
        return None if None in feature.shape else tuple(feature.shape)
    if not isinstance(getattr(feature, "feature", None), datasets.Value):
        return None
    # Files of Parquet hold vectors as lists of any length.
    lengths = pyarrow.compute.unique(pyarrow.compute.list_value_length(rows.data.column(column))).to_pylist()
    return (lengths[0],) if len(lengths) == 1 and lengths[0] else None


class _Reader:
    """Examples of a set in Arrow files, which are mapped into memory."""

    def __init__(self, what: str, rows: Any) -> None:
        self._what, self._rows = what, rows

    def __len__(self) -> int:
        return len(self._rows)

    def read(self, names: Sequence[str], ids: Sequence[int]) -> Mapping[str, Sequence[Any]]:
        """Return values of features by name, see `described.Reader`."""
        try:
            found = self._rows.select_columns(list(names))[ids if isinstance(ids, range) else list(ids)]
            return {name: [self._plain(value) for value in found[name]] for name in names}
        except Exception as error:  # pyarrow and files beside it have no common class of errors
            raise InputError(f"{self._what}: cannot be read ({first_line(error)}); load it again") from error

    def _plain(self, value: Any) -> Any:
        """Return the bytes of an image's file, which may lie beside the set."""
        if not isinstance(value, dict):
            return value
        return value["bytes"] if value["bytes"] is not None else Path(value["path"]).read_bytes()
