"""Display of examples as pictures."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np

from jaxvae.data.spaces import INK
from jaxvae.errors import InputError
from jaxvae.explorer.choices import Choices
from jaxvae.explorer.display import Display, Nouns
from jaxvae.explorer.layers import mean_layers, rescaled
from jaxvae.model import VAE
from jaxvae.report.display import UNIT, Limits, arrangement, value_limits
from jaxvae.types import Distribution, Params

PIXEL_BYTES = 2_000_000
"""Maximum size of all images in the page, which limits the number of large ones."""
HALF_A_LEVEL = 0.5 / 255


def pictures(model: VAE, params: Params, x: np.ndarray, pixels: str, choices: Choices | None) -> Display:
    """Show images `[N, ...]`; what their values mean says if they are ink.

    Raises:
        InputError: the page cannot draw this model or these examples.
    """
    height, width, channels = image_shape(x.shape[1:])
    panels = arrangement(channels).panels
    limits = value_limits(x)

    def examples(ids: np.ndarray) -> dict[str, np.ndarray]:
        levels = np.round(255 * between(x[ids], limits)).astype(np.uint8)
        return {"pixels": levels.reshape(len(ids), -1)}

    return Display(
        kind="pictures",
        nouns=Nouns("picture", "image", "images"),
        fields={
            "ink": pixels in INK,
            "image": {"height": height, "width": panels * width, "channels": channels, "panels": panels},
        },
        layers=rescaled(mean_layers(model, params, choices and choices.vectors), limits),
        examples=examples,
        looks_equal=functools.partial(looks_equal, limits=limits),
        measures={},
        most=max(PIXEL_BYTES // (height * width * channels), 2),
    )


def image_shape(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Return `(H, W, C)` to draw an example; a vector becomes a square if possible, else a row.

    >>> image_shape((784,)), image_shape((10,)), image_shape((9, 7, 3))
    ((28, 28, 1), (1, 10, 1), (9, 7, 3))
    """
    if len(shape) == 1:
        side = round(shape[0] ** 0.5)
        return (side, side, 1) if side * side == shape[0] else (1, shape[0], 1)
    if len(shape) != 3:
        raise InputError(f"dataset: the explorer draws images [H, W, C] and vectors [D], got {list(shape)}")
    return shape[0], shape[1], shape[2]


def between(values: np.ndarray, limits: Limits) -> np.ndarray:
    """Scale values so that black is 0 and white is 1."""
    low, high = limits
    return (values - low) / (high - low)


def looks_equal(one: Distribution, other: Distribution, limits: Limits = UNIT) -> jax.Array:
    """Return True where no pixel of the means differs by half a level."""
    shown = [jnp.clip(between(each.mean, limits), 0, 1) for each in (one, other)]
    return jnp.abs(shown[0] - shown[1]).max() < HALF_A_LEVEL
