"""Survey of a set's headers, which finds the common form of its images."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import numpy as np

from jaxvae.data.headers import Header
from jaxvae.data.memory import check_fits
from jaxvae.data.preparation import Preparation
from jaxvae.errors import InputError

_NAMED_SIZES = 4


class Form(NamedTuple):
    """Common form of all prepared images of a set."""

    shape: tuple[int, int, int]
    """Height, width and channels."""
    dtype: np.dtype
    """uint8, or float32 where any image has more than 8 bits per channel."""
    preparation: Preparation
    alpha: bool
    """True if pixels of some images may be transparent."""

    @property
    def named(self) -> dict[str, str]:
        """Return the preparation of images, by option."""
        return self.preparation.named(alpha=self.alpha)


class Survey:
    """Counts of the headers of all images of a set."""

    def __init__(self) -> None:
        self._counts: Counter[Header] = Counter()
        self._first: dict[Header, str] = {}

    def add(self, header: Header, name: str) -> None:
        """Count an image."""
        self._counts[header] += 1
        self._first.setdefault(header, name)

    def form(self, what: str, preparation: Preparation) -> Form:
        """Return the common form of the images; where any is coloured, all have 3 channels.

        Args:
            what: name of the set in messages.
            preparation: size and background wanted.

        Raises:
            InputError: images would differ in size, or need more memory than there is.
        """
        sizes = {preparation.size(header.height, header.width, name) for header, name in self._first.items()}
        if len(sizes) > 1:
            raise InputError(
                f"{what}: {self._sizes(what)}; bring them to one, or give --resize 64 or --crop 64 to train.py"
            )
        (height, width), headers = sizes.pop(), self._counts
        alpha = any(header.alpha for header in headers)
        coloured = alpha and len(set(preparation.colour)) > 1
        shape = height, width, 3 if coloured else max(header.channels for header in headers)
        dtype = np.dtype(np.float32 if any(header.deep for header in headers) else np.uint8)
        check_fits(
            f"{what}: one image of {width}x{height} pixels", int(np.prod(shape)) * dtype.itemsize, "make it smaller"
        )
        return Form(shape, dtype, preparation, alpha)

    def _sizes(self, what: str) -> str:
        """Describe the most common sizes, each with its number of images and the first of them."""
        counts: Counter[tuple[int, int]] = Counter()
        first: dict[tuple[int, int], str] = {}
        for header, count in self._counts.items():
            counts[header.width, header.height] += count
            first.setdefault((header.width, header.height), self._first[header].removeprefix(f"{what}: "))
        commonest = counts.most_common(_NAMED_SIZES)
        named = [f"{width}x{height} ({count}: {first[width, height]})" for (width, height), count in commonest]
        rest = f" and {len(counts) - len(named)} others" if len(counts) > len(named) else ""
        return f"images of {len(counts)} sizes, {', '.join(named)}{rest}"
