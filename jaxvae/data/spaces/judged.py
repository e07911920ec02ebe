"""Space of images, judged by their values."""

from __future__ import annotations

import itertools

import numpy as np

from jaxvae.data.rows import Rows, blocks
from jaxvae.data.spaces.pixels import Pixels
from jaxvae.data.spaces.real import Real
from jaxvae.data.spaces.values import full_scale


def image_space(image: Rows) -> Pixels | Real:
    """Classify values as pixels, `binary` or `grey`, or as real numbers, usually from the first image alone."""
    scale, shape = full_scale(image), image.shape[1:]
    if all(((block == 0) | (block == scale)).all() for block in itertools.chain([image[:1]], blocks(image))):
        return Pixels(shape, "binary")
    if image.dtype == np.uint8 or all(((block >= 0) & (block <= scale)).all() for block in blocks(image)):
        return Pixels(shape, "grey")
    return Real(shape)
