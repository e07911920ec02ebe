"""Lengths of compressed examples: against the files that Pillow and zlib write, and in the order of complexity."""

import io
import zlib

import numpy as np
from PIL import Image

from jaxvae.judges.complexity import compressed_bits

NOISE = np.random.default_rng(0).integers(0, 256, (8, 8), np.uint8)
IMAGES = np.stack([np.zeros((8, 8), np.uint8), np.tril(np.full((8, 8), 255, np.uint8)), NOISE])


def test_images_have_the_length_of_their_files():
    def size(image):
        stream = io.BytesIO()
        Image.fromarray(image).save(stream, "png", optimize=True)
        return 8 * stream.tell()

    grey, colour = IMAGES[..., None], np.stack([IMAGES] * 3, axis=-1)
    np.testing.assert_array_equal(compressed_bits(grey), [*map(size, IMAGES)])
    np.testing.assert_array_equal(compressed_bits(colour), [*map(size, colour)])
    assert (np.diff(compressed_bits(grey)) > 0).all(), "flat, half and half, noise"


def test_all_else_is_read_by_zlib():
    rows = IMAGES.reshape(3, -1).astype(np.int32)
    np.testing.assert_array_equal(compressed_bits(rows), [8 * len(zlib.compress(row.tobytes(), 9)) for row in rows])
