"""Integers in 0..C-1, by logits."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxvae.distributions.base import at_least_float32, check_value, distribution, draw, flatten_event, static
from jaxvae.types import Array, Key


@distribution
class Categorical:
    """Independent categorical variables, log p(x) = sum log softmax(logits)[x].

    `logits` has one more axis than a value, the last one: the classes. `event_ndim` counts a value's axes; with 0 a
    value is one integer per example.
    """

    logits: Array
    """`[..., C]`."""
    event_ndim: int = static(default=1)

    @property
    def probabilities(self) -> Array:
        """`[..., C]`, summing to one."""
        return jax.nn.softmax(self.logits)

    @property
    def mean(self) -> Array:
        """The expected class number, which has meaning where classes are levels."""
        return self.probabilities @ jnp.arange(self.logits.shape[-1], dtype=self.logits.dtype)

    def sample(self, key: Key) -> Array:
        """Draw integers by the Gumbel-max trick; not differentiable."""
        return jnp.argmax(self.logits + draw(jax.random.gumbel, key, self.logits.shape), axis=-1)

    def log_prob(self, value: Array) -> Array:
        """`[...]` nats; -inf where there is no such class."""
        log_probabilities = jax.nn.log_softmax(at_least_float32(self.logits))
        check_value(value, self.logits.shape[:-1], self.event_ndim)
        value, log_probabilities = _broadcast(jnp.asarray(value), log_probabilities)
        chosen = jnp.take_along_axis(log_probabilities, value[..., None], axis=-1, mode="clip")[..., 0]
        chosen = jnp.where((value < 0) | (value >= self.logits.shape[-1]), -jnp.inf, chosen)
        return flatten_event(chosen, self.event_ndim).sum(-1)


def _broadcast(value: Array, log_probabilities: Array) -> tuple[Array, Array]:
    shape = jnp.broadcast_shapes(value.shape, log_probabilities.shape[:-1])
    return jnp.broadcast_to(value, shape), jnp.broadcast_to(log_probabilities, (*shape, log_probabilities.shape[-1]))
