"""One array in an `.npy` file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from jaxvae.data.dataset import Dataset, Split
from jaxvae.data.memory import check_fits
from jaxvae.data.partition import divide, tenths
from jaxvae.data.preparation import Preparation, refuse_sizes
from jaxvae.data.sources.archive import READ_ERRORS, read_header
from jaxvae.data.sources.arrays import examples
from jaxvae.data.sources.pictures import check_image, resized
from jaxvae.errors import InputError, first_line


def open_npy(path: Path, preparation: Preparation) -> Dataset:
    """Read `[N, H, W, C]` images, uint8 `[N, H, W]` images, or `[N, D]`, `[N, T]` and `[N, T, C]` floats.

    Raises:
        InputError: the file cannot be read, or its array may be of several kinds.
    """
    array = _read(path)
    if array.ndim == 4 or (array.ndim == 3 and array.dtype == np.uint8):
        image = resized(check_image(str(path), array), preparation, str(path))
        data = divide(path.stem, Split(image), tenths(path, len(image)))
        return data._replace(preparation=preparation.named(alpha=False))
    refuse_sizes(preparation, str(path))
    if array.dtype.kind in "iu":
        remedy = f"numpy.savez({str(path.with_suffix('.npz'))!r}, counts=x), with 'tokens' or 'x' for 'counts'"
        raise InputError(f"{path}: holds integers, which may be counts, tokens or numbers; {remedy}")
    rows, space, _ = examples(str(path), "x", array)
    return divide(path.stem, Split(rows), tenths(path, len(rows)), space)


def _read(path: Path) -> np.ndarray:
    try:
        with path.open("rb") as stream:
            header = read_header(stream)
            check_fits(f"{path}: {header.dtype} {header.shape}", header.num_bytes, "store fewer examples")
            stream.seek(0)
            array: np.ndarray = np.lib.format.read_array(stream, allow_pickle=False)
            return array
    except InputError:
        raise
    except READ_ERRORS as error:
        raise InputError(f"{path}: cannot be read ({first_line(error)}); save numbers with numpy.save") from error
