"""Contents of the page: the decoder, the test examples and their codes, attributes, maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import jax.numpy as jnp
import numpy as np

from jaxvae import rng
from jaxvae.data import Split
from jaxvae.data.attributes import class_labels, class_name, named_attributes, usable_attributes
from jaxvae.data.spaces import INK, Tokens
from jaxvae.distributions.sampling import point
from jaxvae.evaluation import in_blocks
from jaxvae.explorer.choices import Choices, choices_of
from jaxvae.explorer.codes import activity, planes, slider_ranges
from jaxvae.explorer.display import Display
from jaxvae.explorer.pictures import pictures
from jaxvae.explorer.sequences import sequences
from jaxvae.explorer.weights import layer_as_json, weight_dtype
from jaxvae.latent import attribute_direction
from jaxvae.model import VAE, sample_codes
from jaxvae.priors import StandardNormal
from jaxvae.types import Params

NUM_CODES = 2000
"""Maximum number of images for attributes and maps; fewer are shown."""
SAMPLES = 200
"""Samples of a prior that the page cannot draw from itself."""
MOST_CLASSES = 20
"""Maximum number of classes that are shown as attributes and colours."""


def page_contents(
    model: VAE,
    params: Params,
    split: Split,
    pixels: str,
    num_images: int,
    classes: Sequence[str] = (),
    facts: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, Any]:
    """Return the page's contents besides its programs, as JSON types and arrays."""
    split = _every_so_often(split, NUM_CODES)
    choices = choices_of(split, classes)
    display = _display(model, params, split, pixels, choices, facts)
    codes = in_blocks(lambda *rows: point(model.encode(params, *split.read(*rows))), split.x, split.condition)
    codes = codes.astype(np.float32)
    shown = _spread(len(codes), min(num_images, display.most))
    ranges = slider_ranges(codes)
    extremes = np.concatenate([codes[shown], _stretched(codes[shown], ranges)])
    conditions = choices and np.tile(choices.of_images(shown), (2, 1))
    weights = weight_dtype(model, params, extremes, display.looks_equal, conditions)
    return {
        "display": display.kind,
        "nouns": display.nouns._asdict(),
        **display.fields,
        **display.examples(shown),
        "decoder": [layer_as_json(layer, weights) for layer in display.layers],
        "activity": activity(codes),
        "ranges": ranges,
        "planes": [plane._asdict() for plane in planes(codes)],
        "codes": codes[shown],
        "samples": prior_samples(model, params, choices),
        "conditions": choices and {"names": choices.names, "values": choices.numbers[shown].tolist()},
        "groups": groups(split, shown, classes),
        "attributes": [*attributes(codes, split, pixels, classes), *measured(codes, display.measures)],
    }


def prior_samples(model: VAE, params: Params, choices: Choices | None) -> dict[str, Any] | None:
    """Return codes of the prior, the same number for each class to choose; None of N(0, I), which the page draws."""
    if isinstance(model.prior, StandardNormal):
        return None
    keys = rng.sample_keys(rng.root(0), SAMPLES * (1 if choices is None else len(choices.names)))
    conditions = None if choices is None else jnp.asarray(choices.vectors.repeat(SAMPLES, axis=0))
    codes = sample_codes(model, params, keys, conditions)
    return {"codes": np.asarray(codes, np.float32), "each": SAMPLES}


def _display(
    model: VAE, params: Params, split: Split, pixels: str, choices: Choices | None, facts: Mapping[str, Any]
) -> Display:
    if isinstance(split.space, Tokens):
        return sequences(model, params, split.x, split.space, facts, choices)
    return pictures(model, params, split.first(NUM_CODES), pixels, choices)


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


def measured(codes: np.ndarray, measures: Mapping[str, np.ndarray]) -> list[dict[str, Any]]:
    """Return the directions of measures from the examples that have them, without measures that are all equal."""
    known = {name: np.isfinite(values) for name, values in measures.items()}
    return [
        {"name": name, "vector": np.asarray(attribute_direction(jnp.asarray(codes[known[name]]), values[known[name]]))}
        for name, values in measures.items()
        if len(np.unique(values[known[name]])) > 1
    ]
