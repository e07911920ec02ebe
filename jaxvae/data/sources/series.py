"""Windows of a long series in a file, each of which is an example."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from jaxvae.data.dataset import Dataset, Split
from jaxvae.data.partition import NUMBERED, TEST, TRAIN, VALIDATION, Whole, divided
from jaxvae.data.preparation import Preparation, refuse_sizes
from jaxvae.data.rows import LazyRows
from jaxvae.data.sources.arrays import check_exact
from jaxvae.data.sources.npy import map_npy
from jaxvae.data.sources.npz import read_npz
from jaxvae.data.sources.tables import read_cells, read_csv, read_parquet
from jaxvae.data.spaces import Incomplete, Real
from jaxvae.data.spaces.table import OBSERVED, X
from jaxvae.errors import InputError

TIMES = ("timestamp", "time", "date", "datetime")
"""Names of columns that are passed over, in any letter case."""
ANOMALY, SPLIT = ("anomaly", "is_anomaly"), "split"
"""Names of arrays and columns that tell anomalies, and that of parts."""
_TOLD = (*ANOMALY, SPLIT)
KEYS = ("x", "data", "series", "signal")
"""Names of the array in an `.npz` file that is a series."""
TABLES = {".csv": read_csv, ".tsv": read_csv, ".parquet": read_parquet}
DROPPED = -1
"""Part number of a window across the border of two parts."""


class Series(NamedTuple):
    """Series of numbers over time."""

    values: np.ndarray
    """`[T, C]` float32, NaN where one is missing."""
    anomaly: np.ndarray | None = None
    """`[T]` 1 where a point is an anomaly, else 0."""
    parts: np.ndarray | None = None
    """`[T]` part numbers; None where nothing divides it."""


def open_series(path: Path, preparation: Preparation) -> Dataset:
    """Cut a series into windows `[W, C]`; without part numbers its first 80 % are for training, its last 10 % for test.

    No window lies across the border of two parts. Attributes are the `time` of each window's last point, and whether
    that point is an `anomaly` where the file tells.

    Raises:
        InputError: the file holds no series, or one that is too short for the windows.
    """
    refuse_sizes(preparation, str(path))
    assert preparation.window is not None
    series, window = read_series(path), preparation.window
    num, stride = len(series.values), preparation.stride or 1
    points = _tenths(num) if series.parts is None else series.parts
    split = windows(series, window, stride)
    ends = split.attributes["time"]
    segment = np.cumsum(np.diff(points, prepend=points[0]) != 0)
    parts = np.where(segment[ends] == segment[ends - window + 1], points[ends], DROPPED)
    for part, name in {TRAIN: "training", TEST: "test"}.items():
        if not (parts == part).any():
            length = int((points == part).sum())
            raise InputError(
                f"window-length: {window} is more than the {length} points of the {name} part; make it smaller"
            )
    shape, missing = (window, series.values.shape[1]), int(np.isnan(series.values).sum())
    space = Incomplete(shape) if missing else Real(shape)
    gaps = f", {missing:,} of {series.values.size:,} values missing" if missing else ""
    done = {"window": f"{window} points, stride {stride}{gaps}"}
    return divided(str(path), path.stem, Whole(split, parts, space, preparation=done))


def windows(series: Series, window: int, stride: int = 1) -> Split:
    """Return all windows `[N, W, C]` of a series, which are cut when they are read, with their mask if it has gaps.

    >>> windows(Series(np.arange(5, dtype=np.float32)[:, None]), 2, 2).x[:][:, :, 0]
    array([[0., 1.],
           [2., 3.]], dtype=float32)

    Raises:
        InputError: the series is shorter than a window.
    """
    num, channels = series.values.shape
    if window > num:
        raise InputError(f"window-length: {window} is more than the {num} points of the series; make it smaller")
    starts, inside = np.arange(0, num - window + 1, stride), np.arange(window)
    shape = len(starts), window, channels

    def cut(values: np.ndarray) -> LazyRows:
        return LazyRows(lambda ids: values[starts[ids][:, None] + inside], shape, values.dtype)

    observed = ~np.isnan(series.values)
    rows: Any = cut(series.values)
    if not observed.all():
        rows = {X: cut(np.where(observed, series.values, 0)), OBSERVED: cut(observed)}
    ends = starts + window - 1
    told = {} if series.anomaly is None else {"anomaly": series.anomaly[ends]}
    return Split(rows, attributes={"time": ends, **told})


def series_split(path: Path, window: int) -> Split:
    """Return all windows of the series in a file, one for each point from the W-th on, whatever its parts are."""
    return windows(read_series(path), window)


def read_series(path: Path) -> Series:
    """Read a series `[T]` or `[T, C]` from an `.npy`, `.npz`, `.csv`, `.tsv` or `.parquet` file.

    A missing value is NaN in an array, and an empty cell in a table.

    Raises:
        InputError: the file holds none.
    """
    end = path.suffix.lower()
    if end in TABLES:
        return _of_table(str(path), TABLES[end](path))
    if end == ".npz":
        return _of_arrays(str(path), read_npz(path)[0])
    if end == ".npy":
        return Series(_values(str(path), map_npy(path)[:]))
    raise InputError(
        f"window-length: {path.name} holds no series; give .npy, .npz, .csv, .tsv or .parquet, or leave it out"
    )


def _of_arrays(what: str, arrays: Mapping[str, np.ndarray]) -> Series:
    key = next((key for key in KEYS if key in arrays), None)
    if key is None:
        raise InputError(f"{what}: holds no array {' or '.join(KEYS)}; name the series x")
    values = _values(f"{what}: array {key!r}", arrays[key])
    told = {name: _of_points(f"{what}: array {name!r}", arrays[name], len(values)) for name in arrays if name in _TOLD}
    return _series(what, values, told)


def _of_table(what: str, table: Any) -> Series:
    """Read the columns of numbers of a table of pyarrow."""
    columns: list[np.ndarray] = []
    told: dict[str, np.ndarray] = {}
    for name in table.column_names:
        if name.lower() in TIMES:
            continue
        named = f"{what}: column {name!r}"
        cells, observed = read_cells(named, table.column(name))
        if name.lower() in _TOLD:
            if not observed.all():
                raise InputError(f"{named} misses {int((~observed).sum())} values; fill them")
            told[name.lower()] = cells
        elif cells.dtype.kind == "U":
            raise InputError(f"{named} holds words; remove it, or call it timestamp if it tells the time")
        else:
            columns.append(np.where(observed[:, None], _values(named, cells), np.nan).astype(np.float32))
    if not columns:
        raise InputError(f"{what}: holds no columns of values; name some in the first line")
    return _series(what, np.concatenate(columns, axis=1), told)


def _series(what: str, values: np.ndarray, told: Mapping[str, np.ndarray]) -> Series:
    name = next((name for name in ANOMALY if name in told), None)
    anomaly = None if name is None else _truth(f"{what}: {name}", told[name])
    return Series(values, anomaly, _parts(what, told[SPLIT]) if SPLIT in told else None)


def _values(what: str, array: np.ndarray) -> np.ndarray:
    """Return `[T, C]` float32."""
    if array.dtype.kind not in "iuf" or array.ndim not in (1, 2) or 0 in array.shape:
        raise InputError(f"{what} is {array.dtype} {array.shape}; a series is numbers [T] or [T, C]")
    if array.ndim == 2 and array.shape[1] > array.shape[0]:
        raise InputError(f"{what} has shape {array.shape}: time comes first, channels last; transpose it")
    check_exact(what, array)
    with np.errstate(over="ignore"):
        values = array.astype(np.float32).reshape(len(array), -1)
    if np.isinf(values).any():
        raise InputError(f"{what} holds infinity, or more than float32 can; make such values NaN, or scale it")
    if np.isnan(values).all():
        raise InputError(f"{what} holds nothing but NaN, which is a missing value; give another")
    return values


def _of_points(what: str, array: np.ndarray, num: int) -> np.ndarray:
    if array.shape != (num,):
        raise InputError(f"{what} has shape {array.shape} for {num} points; give one for each")
    return array


def _truth(what: str, values: np.ndarray) -> np.ndarray:
    words = {"true": 1, "false": 0}
    numbers = np.array([words.get(str(value).lower(), -1) for value in values]) if values.dtype.kind == "U" else values
    if not np.isin(numbers, (0, 1)).all():
        raise InputError(f"{what} holds other values than 0 and 1; write 1 for an anomaly, and 0 for any other point")
    return numbers.astype(np.int32)


def _parts(what: str, values: np.ndarray) -> np.ndarray:
    """Return part numbers from names, or from 0, 1 and 2."""
    parts = np.array([NUMBERED.get(str(value).lower(), DROPPED) for value in values.tolist()])
    if (parts == DROPPED).any():
        found = str(values[parts == DROPPED][0])
        raise InputError(f"{what}: split holds {found!r}; use train, validation (optional) and test, or 0, 1 and 2")
    return parts


def _tenths(num: int) -> np.ndarray:
    """Return part numbers by time: 80 % for training, then 10 % for validation and 10 % for test."""
    return np.repeat([TRAIN, VALIDATION, TEST], [num - 2 * (num // 10), num // 10, num // 10])
