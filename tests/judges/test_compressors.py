"""Other compressors see the same values, packed as tightly; the adaptive coder's length is that of its own steps."""

import gzip

import numpy as np
import pytest

from jaxvae.judges.compressors import LEVELS, PRIOR, adaptive_bits, compare, narrowed, packed

DRAW = np.random.default_rng(0)
IMAGES = np.repeat(np.repeat(DRAW.integers(0, 2, (12, 4, 4, 1)), 2, 1), 2, 2).astype(np.uint8) * 255


@pytest.mark.parametrize(
    "array", [DRAW.integers(0, 3, (5, 4, 3, 1)), DRAW.integers(0, 40, (6, 9)), DRAW.integers(0, 9, 30)]
)
def test_the_adaptive_length_is_the_sum_over_its_steps(array):
    seen, bits, num = {}, 0.0, len(np.unique(array))
    symbols = np.unique(array, return_inverse=True)[1].reshape(array.shape)
    for place in np.ndindex(*array.shape):

        def level(axis, by, place=place):
            there = list(place)
            there[axis] -= by
            return LEVELS if there[axis] < 0 else symbols[tuple(there)] * LEVELS // max(num, LEVELS)

        steps = [(1, 1), (2, 1)] if array.ndim == 4 else [(1, 1), (1, 2)] if array.ndim == 2 else []
        counts = seen.setdefault(tuple(level(*step) for step in steps), np.full(num, PRIOR))
        bits -= np.log2(counts[symbols[place]] / counts.sum())
        counts[symbols[place]] += 1
    assert adaptive_bits(array) == pytest.approx(bits)


def test_values_are_packed():
    assert packed(narrowed(IMAGES)) == np.packbits(IMAGES > 0).tobytes()
    assert len(packed(narrowed(np.arange(300.0)))) == 600
    assert narrowed(np.float32([0.5, 1.5, -1])).dtype == np.float32


def test_every_compressor_is_in_the_table():
    pytest.importorskip("zstandard")
    pytest.importorskip("imagecodecs")
    found = compare(IMAGES)
    assert found["gzip"] == 8 * len(gzip.compress(np.packbits(IMAGES > 0).tobytes(), 9))
    formats = [f"{name}, {how}" for name in ("PNG", "WebP", "JPEG XL") for how in ("each image", "one sheet")]
    assert [*found] == ["gzip", "bz2", "lzma", "zstd", *formats, "adaptive coder, two neighbours"]
    assert all(found[one] > found[other] > 0 for one, other in zip(formats[::2], formats[1::2]))
    assert [*compare({"x": np.arange(6.0), "observed": np.ones(6, bool)})] == [*found][:4] + [*found][-1:]
