"""Arrays in an `.npz` file of the user."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from jaxvae.data.dataset import Dataset
from jaxvae.data.partition import divided
from jaxvae.data.preparation import Preparation
from jaxvae.data.sources.archive import ArrayHeader, read_archive
from jaxvae.data.sources.keyed import RESERVED, examples_key, names_key, whole_set


def open_npz(path: Path, preparation: Preparation) -> Dataset:
    """Read a data set from an `.npz` file, whose arrays have the keys of `keyed.whole_set`."""
    arrays, headers = read_npz(path)
    return divided(str(path), path.stem, whole_set(str(path), arrays, headers, preparation))


def read_npz(path: Path) -> tuple[dict[str, np.ndarray], dict[str, ArrayHeader]]:
    """Read the arrays of a set, and no others; return the headers of all.

    Raises:
        InputError: the file is damaged, or larger than the memory.
    """
    arrays, headers = read_archive(path, RESERVED, useful=_may_be_attribute)
    if (key := examples_key(str(path), headers)) is not None:
        numbers, _ = read_archive(path, (key, names_key(key)), useful=lambda header: False)
        arrays |= numbers
    return arrays, headers


def _may_be_attribute(header: ArrayHeader) -> bool:
    return header.dtype.kind in "biuf" and len(header.shape) == 1
