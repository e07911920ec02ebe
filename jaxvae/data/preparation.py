"""Preparation of examples: size and background of images, rows of tokens of sequences, windows of a series."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from jaxvae.data.dataset import Dataset
from jaxvae.data.memory import check_fits
from jaxvae.data.rows import LazyRows, Rows
from jaxvae.data.sequences import Sequences
from jaxvae.data.spaces import Pixels
from jaxvae.data.spaces.judged import image_space
from jaxvae.errors import InputError

if TYPE_CHECKING:
    from PIL import Image

WHITE = "white"


@dataclass(frozen=True)
class Preparation:
    """Size and background of images, first resized, then cropped; units and lengths of sequences; windows of series."""

    resize: int | tuple[int, ...] | None = None
    """Height and width, or one number for both. An image of other proportions is cut at its centre to these first,
    then scaled by Pillow's LANCZOS filter, which antialiases."""
    crop: int | None = None
    """Height and width of the square cut from the centre, without scaling."""
    background: str = WHITE
    """Colour behind transparent pixels: a name that Pillow knows, or #rrggbb."""
    sequences: Sequences = field(default_factory=Sequences)
    """Units and lengths of sequences."""
    columns: str = ""
    """Kinds of the columns of a table, such as "age=integer,job=categorical"."""
    window: int | None = None
    """Number of time steps of the windows into which a series in a file is cut."""
    stride: int | None = None
    """Time steps from the beginning of a window to that of the next; 1 if not given."""

    def check(self) -> None:
        """Refuse invalid sizes and unknown colours.

        Raises:
            InputError: an option is invalid.
        """
        sizes = self._sizes
        if self.resize is not None and (len(sizes) not in (1, 2) or min(sizes) < 1):
            raise InputError(f"resize: must be one or two positive numbers, got {self.resize}")
        if self.crop is not None and self.crop < 1:
            raise InputError(f"crop: must be at least 1, got {self.crop}")
        if sizes and self.crop and self.crop > min(sizes):
            raise InputError(f"crop: {self.crop} is more than resize {min(sizes)}; make it smaller")
        self.sequences.check()
        for option, value in {"window-length": self.window, "window-stride": self.stride}.items():
            if value is not None and value < 1:
                raise InputError(f"{option}: must be at least 1, got {value}")
        if self.stride is not None and self.window is None:
            raise InputError("window-stride: is for the windows of a series; give --window-length too, or leave it out")
        if self.background != WHITE:  # white needs no Pillow
            _ = self.colour

    def refuse_unused(self, data: Dataset) -> None:
        """Refuse options for another kind of data.

        Raises:
            InputError: an option is given that the data do not use.
        """
        self.sequences.refuse_unused(data)
        if self.columns and "bounds" not in data.facts:
            raise InputError(f"columns: says what the columns of a table are, and {data.name} is none; leave it out")

    @property
    def _sizes(self) -> tuple[int, ...]:
        return (self.resize,) if isinstance(self.resize, int) else self.resize or ()

    @property
    def changes_size(self) -> bool:
        """True where images are resized or cropped."""
        return self.resize is not None or self.crop is not None

    @property
    def colour(self) -> tuple[int, int, int]:
        """Red, green and blue of the background."""
        from PIL import ImageColor

        colour: tuple[int, ...] = ()
        with contextlib.suppress(ValueError):
            colour = ImageColor.getrgb(self.background)
        if len(colour) != 3:  # a fourth number would make it transparent
            remedy = "give a name such as white or black, or #rrggbb"
            raise InputError(f"background: {self.background!r} is no colour; {remedy}")
        return colour[0], colour[1], colour[2]

    def size(self, height: int, width: int, name: str) -> tuple[int, int]:
        """Return the height and width of a prepared image.

        Args:
            height: height of the stored image.
            width: width of the stored image.
            name: name of the image in messages.

        Raises:
            InputError: it is smaller than the crop.
        """
        if self.resize is not None:
            height, width = self._sizes[0], self._sizes[-1]
        if self.crop is None:
            return height, width
        if self.crop > min(height, width):
            remedy = "make it smaller, or give --resize too, which scales"
            raise InputError(f"crop: {self.crop} is more than {name} has, {width}x{height} pixels; {remedy}")
        return self.crop, self.crop

    def fit(self, image: Image.Image) -> Image.Image:
        """Resize and crop one image."""
        from PIL import Image, ImageOps

        if self.resize is not None:
            width_height = (self._sizes[-1], self._sizes[0])
            image = _within(ImageOps.fit(image, width_height, Image.Resampling.LANCZOS), image)
        if self.crop is not None:
            left, top = (image.width - self.crop) // 2, (image.height - self.crop) // 2
            image = image.crop((left, top, left + self.crop, top + self.crop))
        return image

    def named(self, *, alpha: bool) -> dict[str, str]:
        """Return the preparation by option, for the manifest.

        Args:
            alpha: True if some images are transparent.
        """
        done = {}
        if self.resize is not None:
            done["resize"] = f"{self._sizes[-1]}x{self._sizes[0]} Pillow LANCZOS"
        if self.crop is not None:
            done["crop"] = f"{self.crop}x{self.crop}"
        if alpha:
            done["background"] = self.background
        return done


def _within(image: Image.Image, original: Image.Image) -> Image.Image:
    """Clip floats to the original's range, which the filter's ringing exceeds; Pillow clips bytes itself."""
    from PIL import Image

    if image.mode != "F":
        return image
    low, high = original.getextrema()
    return Image.fromarray(np.clip(np.asarray(image), low, high))


def refuse_sizes(preparation: Preparation, name: str) -> None:
    """Refuse sizes for a set without images.

    Raises:
        InputError: a size is given.
    """
    if preparation.changes_size:
        option = "resize" if preparation.resize else "crop"
        raise InputError(f"{option}: {name} holds no images; leave it out")


def prepare_rows(image: Rows, preparation: Preparation, name: str) -> LazyRows:
    """Resize and crop arrays, channel by channel, when they are indexed.

    Args:
        image: `[N, H, W, C]`.
        preparation: sizes wanted.
        name: name of the array in messages.

    Raises:
        InputError: the array holds no images, or images that are too small.
    """
    if len(image.shape) != 4:
        option = "resize" if preparation.resize else "crop"
        raise InputError(f"{option}: {name} holds vectors, shape {image.shape}; leave it out")
    _, height, width, channels = image.shape
    shape = (*preparation.size(height, width, name), channels)
    check_fits(f"{name}: one example of shape {shape}", int(np.prod(shape)) * image.dtype.itemsize, "make it smaller")

    def read(ids: np.ndarray) -> np.ndarray:
        return np.stack([_fit_channels(one, preparation) for one in image[ids]])

    return LazyRows(read, (len(image), *shape), image.dtype)


def _fit_channels(image: np.ndarray, preparation: Preparation) -> np.ndarray:
    from PIL import Image

    channels = [Image.fromarray(np.ascontiguousarray(image[..., c])) for c in range(image.shape[2])]
    return np.stack([np.asarray(preparation.fit(channel)) for channel in channels], axis=-1)


def prepare(data: Dataset, preparation: Preparation) -> Dataset:
    """Resize and crop a data set of arrays."""
    if not preparation.changes_size:
        return data

    space = data.space
    assert isinstance(space, Pixels)
    data = data.map_examples(lambda image: prepare_rows(image, preparation, data.name))
    image = data.train.x
    space = image_space(image) if space.kind == "binary" else Pixels(image.shape[1:], space.kind)
    return data.of_space(space)._replace(preparation=preparation.named(alpha=False))
