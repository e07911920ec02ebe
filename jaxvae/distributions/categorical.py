"""Categorical distribution of integers in 0..C-1, with logits."""

from __future__ import annotations

from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from jaxvae.distributions.base import (
    Support,
    at_least_float32,
    cast_like,
    check_value,
    distribution,
    draw,
    flatten_event,
    static,
)
from jaxvae.types import Array, Key


@distribution
class Categorical:
    """Independent categorical variables, log p(x) = sum log softmax(logits)[x].

    `logits` has one more axis than a value, the last one: the classes. `event_ndim` counts a value's axes; with 0 a
    value is one integer per example. A logit of -inf rules a class out.
    """

    support: ClassVar[Support] = "integers"
    logits: Array
    """`[..., C]` logits."""
    event_ndim: int = static(default=1)

    @property
    def probabilities(self) -> Array:
        """`[..., C]` probabilities."""
        return cast_like(jax.nn.softmax(at_least_float32(self.logits)), self.logits)

    @property
    def mean(self) -> Array:
        """Expected class number, meaningful where classes are levels."""
        probabilities = jax.nn.softmax(at_least_float32(self.logits))
        classes = jnp.arange(probabilities.shape[-1], dtype=probabilities.dtype)
        return cast_like(probabilities @ classes, self.logits)

    @property
    def mode(self) -> Array:
        """Number of the likeliest class."""
        return jnp.argmax(self.logits, axis=-1)

    def sample(self, key: Key) -> Array:
        """Sample integers by the Gumbel-max trick; not differentiable."""
        logits = at_least_float32(self.logits)
        return jnp.argmax(logits + draw(jax.random.gumbel, key, logits.shape, logits.dtype), axis=-1)

    def log_prob(self, value: ArrayLike) -> Array:
        """Return `[...]` nats; -inf where there is no such class, as for a negative or fractional number."""
        log_probabilities = jax.nn.log_softmax(at_least_float32(self.logits))
        check_value(value, log_probabilities.shape[:-1], self.event_ndim)
        classes, there = _classes(value, log_probabilities.shape[-1])
        classes, log_probabilities = _broadcast(classes, log_probabilities)
        chosen = jnp.take_along_axis(log_probabilities, classes[..., None], axis=-1, mode="clip")[..., 0]
        return flatten_event(jnp.where(there, chosen, -jnp.inf), self.event_ndim).sum(-1)


def _classes(value: ArrayLike, num_classes: int) -> tuple[Array, Array]:
    """Return class numbers as int32, 0 where there is no such class; and a mask of those that exist."""
    if not isinstance(value, jax.Array):  # JAX would keep the lower 32 of 64 bits: 2**32 would become 0
        value = np.clip(np.asarray(value, np.float64), -1, num_classes)
    value = jnp.asarray(value)
    if jnp.issubdtype(value.dtype, jnp.floating):
        value = at_least_float32(value)
    elif value.dtype.itemsize < 4 or value.dtype == jnp.uint32:
        value = value.astype(jnp.int32)  # 256 classes would be 0 as uint8; values that overflow int32 become negative
    there = (value >= 0) & (value < num_classes) & (value % 1 == 0)
    return jnp.where(there, value, 0).astype(jnp.int32), there


def _broadcast(value: Array, log_probabilities: Array) -> tuple[Array, Array]:
    shape = jnp.broadcast_shapes(value.shape, log_probabilities.shape[:-1])
    return jnp.broadcast_to(value, shape), jnp.broadcast_to(log_probabilities, (*shape, log_probabilities.shape[-1]))
