"""Portable codec of a model: bits-back coding by integer networks, with the same bits on every processor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxvae.coding.codecs import Codec, bits_back, independent, mapped
from jaxvae.coding.integer_latents import MOMENTS, IntegerBuckets
from jaxvae.coding.integer_nets import Dense, Grids, Input, calibrated, integer_net
from jaxvae.coding.integer_pixels import integer_pixels
from jaxvae.coding.model import ModelCodec

VERSION = 1
"""Version of the integer arithmetic: a file of another one decodes to garbage."""
LATENTS, MOST_LATENT = 8, 8
"""Exponent of the grid of z as the decoder reads it, and bound of its magnitude."""
CALIBRATION = 256
"""Number of examples, the first ones, by which the ranges of activations are measured."""


class Trained(NamedTuple):
    """Trained model of dense layers, with a normal posterior, a standard normal prior, and pixels."""

    encoder: Sequence[Dense]
    decoder: Sequence[Dense]
    activations: tuple[str, str]
    """Names of the activations of encoder and decoder."""
    likelihood: Any
    """p(x|z) of one example, whose leaves may be shapes."""
    shape: tuple[int, ...]
    """Shape of one example."""


class AllGrids(NamedTuple):
    """Grids of the hidden layers of both networks, as a file holds them."""

    encoder: Sequence[Grids]
    decoder: Sequence[Grids]


def measured(trained: Trained, x: np.ndarray) -> AllGrids:
    """Return the grids of activations by some examples `[N, ...]`; z is the mean of the posterior."""
    pixels, x = integer_pixels(trained.likelihood), x[:CALIBRATION]
    read = _read(pixels.top)
    levels = _levels(x, pixels.top)
    encoder = calibrated(trained.encoder, trained.activations[0], read, levels)
    outputs = integer_net(trained.encoder, trained.activations[0], read, encoder, LATENTS)(levels)
    z = np.clip(outputs[:, : outputs.shape[1] // 2], -MOST_LATENT << LATENTS, MOST_LATENT << LATENTS)
    return AllGrids(encoder, calibrated(trained.decoder, trained.activations[1], _of_z(), z))


def portable_codec(trained: Trained, grids: AllGrids, bits: int) -> ModelCodec:
    """Return the codec of a model.

    Args:
        trained: model.
        grids: grids of activations, see `measured`.
        bits: bits of the number of buckets of a latent dimension.

    Raises:
        InputError: its likelihood has no codec in integers.
    """
    pixels = integer_pixels(trained.likelihood)
    encoder = integer_net(trained.encoder, trained.activations[0], _read(pixels.top), grids.encoder, MOMENTS)
    decoder = integer_net(trained.decoder, trained.activations[1], _of_z(), grids.decoder, pixels.exponent)
    buckets = IntegerBuckets(len(trained.decoder[0].kernel), bits)

    def values(levels: np.ndarray) -> np.ndarray:
        return (levels.astype(np.float32) / np.float32(pixels.top)).reshape(-1, *trained.shape)

    def likelihood(numbers: np.ndarray) -> Codec:
        intervals = pixels.intervals(decoder(buckets.values(numbers, LATENTS)))
        return mapped(independent(intervals), lambda x: _levels(x, pixels.top).T, lambda found: values(found.T))

    def of(lanes: int) -> Codec:
        return bits_back(buckets.uniform(lanes), likelihood, lambda x: buckets.normal(encoder(_levels(x, pixels.top))))

    return ModelCodec(of, lambda x: values(_levels(x, pixels.top)))


def _read(top: int) -> Input:
    return Input(0, top, divisor=top)


def _of_z() -> Input:
    return Input(LATENTS, MOST_LATENT << LATENTS)


def _levels(x: np.ndarray, top: int) -> np.ndarray:
    """Return `[L, D]` levels of pixels."""
    return np.clip(np.round(np.asarray(x).reshape(len(x), -1) * top), 0, top).astype(np.int64)
