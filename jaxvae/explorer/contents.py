"""Contents of the page: the decoder's layers, the test images and their codes, attributes, maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxvae.data import Split
from jaxvae.data.attributes import class_labels, class_name, named_attributes, usable_attributes
from jaxvae.data.spaces import INK
from jaxvae.distributions.sampling import point
from jaxvae.errors import InputError
from jaxvae.evaluation import in_blocks
from jaxvae.explorer.choices import choices_of
from jaxvae.explorer.codes import activity, planes, slider_ranges
from jaxvae.explorer.layers import Layer, mean_layers, rescaled
from jaxvae.latent import attribute_direction
from jaxvae.model import VAE
from jaxvae.report.display import UNIT, Limits, arrangement, value_limits
from jaxvae.types import Params

NUM_CODES = 2000
"""Maximum number of images for attributes and maps; fewer are shown."""
PIXEL_BYTES = 2_000_000
"""Maximum size of all images in the page, which limits the number of large ones."""
MOST_CLASSES = 20
"""Maximum number of classes that are shown as attributes and colours."""
HALF_A_LEVEL = 0.5 / 255


def page_contents(
    model: VAE, params: Params, split: Split, pixels: str, num_images: int, classes: Sequence[str] = ()
) -> dict[str, Any]:
    """Return the page's contents besides its programs, as JSON types and arrays."""
    height, width, channels = image_shape(split.x.shape[1:])
    panels = arrangement(channels).panels
    split = _every_so_often(split, NUM_CODES)
    x = split.first(NUM_CODES)
    limits = value_limits(x)
    choices = choices_of(split, classes)
    layers = rescaled(mean_layers(model, params, choices and choices.vectors), limits)
    codes = in_blocks(lambda *rows: point(model.encode(params, *split.read(*rows))), split.x, split.condition)
    codes = codes.astype(np.float32)
    shown = _spread(len(x), min(num_images, max(PIXEL_BYTES // (height * width * channels), 2)))
    ranges = slider_ranges(codes)
    extremes = np.concatenate([codes[shown], _stretched(codes[shown], ranges)])
    weights = weight_dtype(model, params, extremes, limits, choices and np.tile(choices.of_images(shown), (2, 1)))
    return {
        "ink": pixels in INK,
        "image": {"height": height, "width": panels * width, "channels": channels, "panels": panels},
        "decoder": [layer_as_json(layer, weights) for layer in layers],
        "activity": activity(codes),
        "ranges": ranges,
        "planes": [plane._asdict() for plane in planes(codes)],
        "pixels": np.round(255 * _between(x[shown], limits)).astype(np.uint8).reshape(len(shown), -1),
        "codes": codes[shown],
        "conditions": choices and {"names": choices.names, "values": choices.numbers[shown].tolist()},
        "groups": groups(split, shown, classes),
        "attributes": attributes(codes, split, pixels, classes),
    }


def _every_so_often(split: Split, num: int) -> Split:
    """Take evenly spaced images of the split, which may be sorted, with their usable labels and attributes."""
    ids = _spread(split.num_examples, num)
    label = None if split.label is None else split.label[ids]
    if label is not None and len(np.unique(label)) > MOST_CLASSES:
        label = None
    return split.take(ids)._replace(x=split.x[ids], label=label)


def _spread(size: int, num: int) -> np.ndarray:
    """Return at most `num` integers below `size`, evenly spaced, from 0 on."""
    num = min(num, size)
    return np.arange(num) * size // num


def _stretched(codes: np.ndarray, ranges: np.ndarray) -> np.ndarray:
    """Scale the codes so that they reach the sliders' ends, where rounding of weights has most effect."""
    return codes * (ranges[:, 1] / np.maximum(np.abs(codes).max(axis=0), 1e-6))


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


def _between(values: np.ndarray, limits: Limits) -> np.ndarray:
    """Scale values so that black is 0 and white is 1."""
    low, high = limits
    return (values - low) / (high - low)


def weight_dtype(
    model: VAE, params: Params, codes: np.ndarray, limits: Limits = UNIT, conditions: np.ndarray | None = None
) -> type[np.floating]:
    """Choose half precision, which halves the page, if it changes no pixel at these codes by half a level."""
    low, high = limits
    given = None if conditions is None else jnp.asarray(conditions)

    @jax.jit
    def largest_change(params: Params) -> jax.Array:
        half = {**params, "decoder": jax.tree.map(_through_half, params["decoder"])}
        decoded = [model.decode(each, jnp.asarray(codes), given).mean for each in (params, half)]
        pictures = [jnp.clip((mean - low) / (high - low), 0, 1) for mean in decoded]
        return jnp.abs(pictures[0] - pictures[1]).max()

    return np.float16 if largest_change(params) < HALF_A_LEVEL else np.float32


def _through_half(weights: jax.Array) -> jax.Array:
    return weights.astype(jnp.float16).astype(weights.dtype)


def layer_as_json(layer: Layer, dtype: type[np.floating]) -> dict[str, Any]:
    """Return a layer's kind and fields, its kernel in this dtype; the few biases stay unchanged."""
    fields = layer._asdict()
    if "kernel" in fields:
        fields["kernel"] = fields["kernel"].astype(dtype)
    return {"kind": type(layer).__name__, **fields}


def groups(split: Split, shown: np.ndarray, classes: Sequence[str] = ()) -> dict[str, Any] | None:
    """Return the groups that colour dots: classes, or else the first attribute with few values."""
    known = {"class": split.label} if split.label is not None else {}
    for name, values in {**known, **split.attributes}.items():
        kinds = np.unique(values)
        if np.issubdtype(values.dtype, np.integer) and 1 < len(kinds) <= MOST_CLASSES:
            called = {
                kind: class_name(kind, classes) if name == "class" and classes else kind for kind in kinds.tolist()
            }
            return {
                "name": name,
                "kinds": [*called.values()],
                "values": [called[kind] for kind in values[shown].tolist()],
            }
    return None


def attributes(codes: np.ndarray, split: Split, pixels: str, classes: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Return named directions: classes, the split's attributes, slant and width of ink; without unusable ones."""
    if split.label is None and not split.attributes and pixels not in INK:
        return []
    numbered = class_labels(split, classes)
    known = usable_attributes(named_attributes(split, pixels, classes=classes))
    return [
        {
            "name": f"class {name.removeprefix('class ')}" if name in numbered else name,
            "vector": np.asarray(attribute_direction(jnp.asarray(codes), values)),
        }
        for name, values in known.items()
    ]
