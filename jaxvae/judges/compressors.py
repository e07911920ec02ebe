"""Compressors without a VAE, to be put beside one: of the same values, packed as tightly as their type allows."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from scipy.special import gammaln

from jaxvae.packages import needed_by

LEVELS, PRIOR = 8, 0.1
"""Number of levels into which a neighbour's value is divided, and the count with which every symbol begins."""
ALPHABET = 1 << 12
"""Largest number of different values that the adaptive coder learns."""
MOST_PIXELS = {"WebP": 16383}
"""Largest side of an image in a format."""


def check_installed() -> None:
    """Refuse a comparison whose packages are not there.

    Raises:
        InputError: a package of the extra `compression` is not installed.
    """
    for module in ("zstandard", "imagecodecs"):
        needed_by("compare", module, "compression")


def compare(stored: Any) -> dict[str, float]:
    """Return the bits that each compressor takes for examples.

    General ones get all examples as one sequence of bytes. Images are also compressed one by one, headers included, and
    as one sheet. The adaptive coder is that of `adaptive_bits`.

    Args:
        stored: `[N, ...]` examples as stored, an array or a dict of arrays.

    Raises:
        InputError: a package of the extra `compression` is not installed.
    """
    zstandard = needed_by("compare", "zstandard", "compression")
    arrays = [narrowed(array) for array in (stored.values() if isinstance(stored, Mapping) else [stored])]
    data = b"".join(map(packed, arrays))
    found = {
        "gzip": len(gzip.compress(data, 9)),
        "bz2": len(bz2.compress(data, 9)),
        "lzma": len(lzma.compress(data, preset=9 | lzma.PRESET_EXTREME)),
        "zstd": len(zstandard.ZstdCompressor(level=22).compress(data)),
    }
    bits: dict[str, float] = {name: 8.0 * size for name, size in found.items()}
    if is_images(arrays):
        bits |= {name: 8.0 * size for name, size in _images(arrays[0])}
    return {**bits, "adaptive coder, two neighbours": sum(map(adaptive_bits, arrays))}


def narrowed(array: np.ndarray) -> np.ndarray:
    """Return values in the narrowest type that holds them; those of two different ones as booleans.

    >>> narrowed(np.array([0, 255, 255], np.uint8)).dtype, narrowed(np.array([0.0, 3.0, 300.0])).dtype
    (dtype('bool'), dtype('uint16'))
    """
    values = np.unique(array)
    if len(values) <= 2:
        return array == values[-1:]
    if (values % 1 == 0).all() and values[0] >= 0:
        return array.astype(np.min_scalar_type(int(values[-1])))
    return array


def packed(array: np.ndarray) -> bytes:
    """Return the bytes of values, of booleans 8 to a byte."""
    return np.packbits(array).tobytes() if array.dtype == bool else np.ascontiguousarray(array).tobytes()


def is_images(arrays: list[np.ndarray]) -> bool:
    """Return True for grey or coloured images `[N, H, W, C]` of bytes or bits."""
    return len(arrays) == 1 and arrays[0].ndim == 4 and arrays[0].shape[-1] in (1, 3) and arrays[0].dtype.itemsize == 1


def adaptive_bits(array: np.ndarray) -> float:
    r"""Compute the length of an adaptive arithmetic coder: the probability of a value is its share so far.

    Shares are counted apart for each context, the values to the left and above, or the two before it in a row, in 8
    levels. With K symbols, n values in a context and n_k of them k, the product of all probabilities is

        Gamma(K a) / Gamma(K a + n) prod_k Gamma(n_k + a) / Gamma(a),        a = 0.1

    whatever their order. An arithmetic coder takes at most 2 bits more than its negative logarithm.

    Reference: Krichevsky & Trofimov 1981, https://doi.org/10.1109/TIT.1981.1056331, with a = 1/2 for two symbols.
    """
    values, symbols = np.unique(array, return_inverse=True)
    num = len(values)
    if num > ALPHABET or not symbols.size:
        return float("nan") if symbols.size else 0.0
    symbols = symbols.reshape(array.shape)
    coarse = symbols * LEVELS // max(num, LEVELS)
    across, above = (-2, -3) if array.ndim > 3 else (-1, -1)
    left = _shifted(coarse, across, 1)
    other = _shifted(coarse, above, 1 if above != across else 2)
    cells = ((left * (LEVELS + 1) + other).astype(np.int64) * num + symbols).reshape(-1)
    counts = np.bincount(cells, minlength=(LEVELS + 1) ** 2 * num).reshape(-1, num)
    total = gammaln(num * PRIOR) - gammaln(num * PRIOR + counts.sum(1))
    return float(-(total + (gammaln(counts + PRIOR) - gammaln(PRIOR)).sum(1)).sum() / np.log(2))


def _shifted(levels: np.ndarray, axis: int, by: int) -> np.ndarray:
    """Return the level of a neighbour, one more than all levels at the border."""
    if levels.ndim < 2:
        return np.full(levels.shape, LEVELS)
    moved = np.roll(levels, by, axis)
    border: list[Any] = [slice(None)] * levels.ndim
    border[axis] = slice(by)
    moved[tuple(border)] = LEVELS
    return moved


def _images(images: np.ndarray) -> Iterator[tuple[str, int]]:
    """Yield the bytes of each format for all images one by one, and for one sheet of them."""
    encoders = {"PNG": png, "WebP": _webp, "JPEG XL": _jpeg_xl()}
    whole = sheet(images)
    for name, encode in encoders.items():
        yield f"{name}, each image", sum(map(encode, images))
        if max(whole.shape) <= MOST_PIXELS.get(name, max(whole.shape)):
            yield f"{name}, one sheet", encode(whole)


def sheet(images: np.ndarray) -> np.ndarray:
    """Return one image of images `[N, H, W, C]`, side by side in a square; what is left over is 0.

    >>> sheet(np.ones((5, 2, 4, 1), np.uint8)).shape
    (4, 12, 1)
    """
    num, height, width, channels = images.shape
    across = math.isqrt(num - 1) + 1
    down = -(-num // across)
    cells = np.zeros((down * across, height, width, channels), images.dtype)
    cells[:num] = images
    rows = cells.reshape(down, across, height, width, channels).swapaxes(1, 2)
    return rows.reshape(down * height, across * width, channels)


def png(image: np.ndarray) -> int:
    """Return the bytes of an image `[H, W, 1 or 3]` of bytes or bits as PNG."""
    return _saved(_shown(image), "PNG", optimize=True)


def _webp(image: np.ndarray) -> int:
    shown = _shown(image)
    return _saved(shown.convert("L") if shown.mode == "1" else shown, "WebP", lossless=True, quality=100, method=6)


def _jpeg_xl() -> Callable[[np.ndarray], int]:
    imagecodecs = needed_by("compare", "imagecodecs", "compression")

    def size(image: np.ndarray) -> int:
        pixels = image.astype(np.uint8) * np.uint8(255) if image.dtype == bool else image
        return len(imagecodecs.jpegxl_encode(pixels, lossless=True))

    return size


def _shown(image: np.ndarray) -> Any:
    from PIL import Image

    pixels = image[..., 0] if image.shape[-1] == 1 else image
    if pixels.dtype == bool:
        return Image.fromarray(pixels.astype(np.uint8) * np.uint8(255)).convert("1")
    return Image.fromarray(np.ascontiguousarray(pixels))


def _saved(image: Any, name: str, **options: Any) -> int:
    stream = io.BytesIO()
    image.save(stream, name, **options)
    return stream.tell()
