"""Codes of a codebook: the point posterior that chooses the nearest ones, and the uniform prior over all."""

from __future__ import annotations

import dataclasses
import math
from typing import ClassVar

import jax
import jax.numpy as jnp

from jaxvae.distributions.base import Support, at_least_float32, distribution, draw, flatten_event
from jaxvae.types import Array, Key


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class Codes:
    """Value of a quantized latent variable: numbers of codes, and the vectors that they stand for."""

    indices: Array
    """`[..., G]` numbers of the codes."""
    vectors: Array
    """`[..., G D]` their vectors, joined along the last axis."""

    @property
    def for_decoder(self) -> Array:
        """Vectors of the codes."""
        return self.vectors


def nearest_codes(outputs: Array, codebook: Array) -> Codes:
    """Return the codes nearest to vectors, in Euclidean distance.

    Args:
        outputs: `[..., G D]` G vectors at each position.
        codebook: `[K, D]`.
    """
    vectors = at_least_float32(outputs).reshape(*outputs.shape[:-1], -1, codebook.shape[-1])
    # |v - e|^2 without |v|^2, as a product: the differences of all pairs would be D times as large.
    products = jnp.matmul(vectors, codebook.T, precision="highest")
    indices = jnp.argmin(jnp.square(codebook).sum(-1) - 2 * products, axis=-1)
    return look_up(indices, codebook)


def look_up(indices: Array, codebook: Array) -> Codes:
    """Return codes `[..., G]` with their vectors."""
    vectors = codebook[indices]
    return Codes(indices, vectors.reshape(*indices.shape[:-1], -1))


@distribution
class Quantized:
    """Point mass at the codes nearest to an encoder's outputs, with `log_prob` 0 there and -inf elsewhere.

    The vectors of its value are the codes'; their gradient is passed unchanged to the encoder's outputs.

    Reference: van den Oord et al. 2017, https://arxiv.org/abs/1711.00937, section 3.2.
    """

    support: ClassVar[Support] = "codes"
    has_density: ClassVar[bool] = False
    outputs: Array
    """`[..., G D]` outputs of the encoder."""
    codes: Codes
    """Codes nearest to the outputs, with the gradient of the codebook."""
    perplexity: Array
    """`[B]` effective number of codes in use, exp of the entropy of their usage: one number for all examples."""

    @property
    def event_ndim(self) -> int:
        """Number of axes of one event: all but the first."""
        return self.outputs.ndim - 1

    @property
    def mean(self) -> Codes:
        """Codes, with the straight-through gradient."""
        # The difference is 0: the value is the code's, to the last bit.
        passed = self.outputs - jax.lax.stop_gradient(self.outputs)
        return Codes(self.codes.indices, jax.lax.stop_gradient(self.codes.vectors) + passed)

    def sample(self, key: Key) -> Codes:
        """Return the codes: nothing is random."""
        return self.mean

    def log_prob(self, value: Codes) -> Array:
        """Return `[...]`, 0 at the codes and -inf elsewhere."""
        same = flatten_event(value.indices == self.codes.indices, self.event_ndim).all(-1)
        return jnp.where(same, 0.0, -jnp.inf)

    @property
    def commitment(self) -> Array:
        """Squared distances `[...]` from the outputs to their codes, with a gradient in the outputs alone."""
        return self._distance(self.outputs, jax.lax.stop_gradient(self.codes.vectors))

    @property
    def codebook_distance(self) -> Array:
        """Squared distances `[...]` from the codes to the outputs, with a gradient in the codebook alone."""
        return self._distance(jax.lax.stop_gradient(self.outputs), self.codes.vectors)

    def _distance(self, outputs: Array, vectors: Array) -> Array:
        return flatten_event(jnp.square(at_least_float32(outputs) - vectors), self.event_ndim).sum(-1)


@distribution
class UniformOverCodes:
    """Independent codes, each of the K with the same probability, at every position."""

    support: ClassVar[Support] = "codes"
    codebook: Array
    """`[K, D]`."""
    positions: tuple[int, ...] = dataclasses.field(metadata={"static": True})
    """Shape of the indices of one value, `(..., G)`."""

    @property
    def event_ndim(self) -> int:
        """Number of axes of one event."""
        return len(self.positions)

    @property
    def point(self) -> Codes:
        """Code nearest to the codebook's mean, at every position."""
        (middle,) = nearest_codes(self.codebook.mean(0), self.codebook).indices
        return look_up(jnp.full(self.positions, middle), self.codebook)

    def sample(self, key: Key) -> Codes:
        """Sample codes."""

        def choose(key: Key, shape: tuple[int, ...], dtype: jnp.dtype) -> Array:
            return jax.random.randint(key, shape, 0, len(self.codebook), dtype)

        return look_up(draw(choose, key, self.positions, jnp.int32), self.codebook)

    def log_prob(self, value: Codes) -> Array:
        """Return `[...]` nats, minus the number of positions times log K.

        Raises:
            ValueError: the value has other positions.
        """
        shape = value.indices.shape
        leading = shape[: len(shape) - self.event_ndim]
        if shape != (*leading, *self.positions):
            raise ValueError(f"value {shape} is no event of a distribution of codes at positions {self.positions}")
        return jnp.full(leading, -math.prod(self.positions) * math.log(len(self.codebook)), jnp.float32)
