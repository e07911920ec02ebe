"""Networks of counts: dense layers for cells of any library size, and topics for the words of documents."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from flax import linen as nn

from jaxvae.arguments import look_up
from jaxvae.distributions.base import at_least_float32
from jaxvae.errors import InputError
from jaxvae.facts import Facts
from jaxvae.nets.activations import ACTIVATIONS
from jaxvae.nets.mlp import MLPDecoder, MLPEncoder, join
from jaxvae.nets.network import Network
from jaxvae.nets.reading import Reading, log_counts
from jaxvae.types import Array

SCALE = 1e4
"""Total to which examples are scaled before the logarithm, as is usual for cells."""


def scaled_log_counts(x: Array) -> Array:
    """Return log(1 + 10,000 x / n) with n the total of x: the same for a cell whose molecules were counted twice.

    An example without any count stays 0.
    """
    x = at_least_float32(x)
    return jnp.log1p(SCALE * x / jnp.maximum(x.sum(-1, keepdims=True), 1.0))


@dataclasses.dataclass(frozen=True)
class CountMLP:
    """Dense layers on logarithms of counts scaled to one total, so that codes do not hold the size of a library.

    Reference: Lopez et al. 2018 (scVI), https://doi.org/10.1038/s41592-018-0229-2, without BatchNorm and dropout.
    """

    hidden: tuple[int, ...] = (128,)
    """Widths of the dense hidden layers, from the data inwards; the decoder mirrors the encoder."""
    activation: str = "relu"
    """Activation between the layers."""

    reads: ClassVar = "counts"

    def encoder(self, facts: Facts, num_outputs: int) -> Reading:
        """Build the encoder.

        Raises:
            InputError: examples are no counts.
        """
        check_counts("counts", facts)
        return _encoder(self, facts, num_outputs, scaled_log_counts)

    def decoder(self, facts: Facts, shape: tuple[int, ...]) -> MLPDecoder:
        """Build the decoder."""
        activation = look_up(ACTIVATIONS, "activation", self.activation)
        return MLPDecoder(self.hidden[::-1], shape, activation, facts.dtype)


class TopicDecoder(Network):
    """Logits of words, b + sum_k theta_k W_k: one row W_k for each topic, and the words b of a document of none."""

    num_words: int
    mixed: bool = True
    """Take theta = softmax(z), the shares of the topics; z itself if False."""

    @nn.compact
    def __call__(self, z: Array, condition: Array | None = None) -> Array:
        """Map `[B, K]` to `[B, V]`."""
        shares = jax.nn.softmax(at_least_float32(z)) if self.mixed else z
        return nn.Dense(self.num_words, name="output")(join(shares, condition))


@dataclasses.dataclass(frozen=True)
class Topics:
    """Dense layers to the shares of topics, and one row of words for each topic, for documents as bags of words.

    References: Miao et al. 2016 (NVDM), https://arxiv.org/abs/1511.06038; Srivastava & Sutton 2017 (ProdLDA),
    https://arxiv.org/abs/1703.01488, equation 10, with a bias of words in place of BatchNorm, and without dropout.
    """

    hidden: tuple[int, ...] = (100, 100)
    """Widths of the encoder's dense hidden layers."""
    activation: str = "softplus"
    """Activation between the layers."""
    mixed: bool = True
    """Mix topics by softmax(z), as ProdLDA does; without it by z itself, as NVDM does."""

    reads: ClassVar = "counts"

    def encoder(self, facts: Facts, num_outputs: int) -> Reading:
        """Build the encoder.

        Raises:
            InputError: examples are no counts.
        """
        check_counts("topics", facts)
        return _encoder(self, facts, num_outputs, log_counts)

    def decoder(self, facts: Facts, shape: tuple[int, ...]) -> TopicDecoder:
        """Build the decoder."""
        del facts
        (num_words,) = shape
        return TopicDecoder(num_words, self.mixed)


def _encoder(options: CountMLP | Topics, facts: Facts, num_outputs: int, features: Callable[[Array], Array]) -> Reading:
    activation = look_up(ACTIVATIONS, "activation", options.activation)
    return Reading(MLPEncoder(options.hidden, num_outputs, activation, facts.dtype), features)


def check_counts(who: str, facts: Facts) -> None:
    """Refuse examples that are no counts.

    Raises:
        InputError: they are none.
    """
    space: Any = facts.space
    if space.kind != "counts":
        raise InputError(f"networks: {who} needs rows of counts, got {space.kind}; give --preset vae")
