"""Mixture of distributions of one family."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from jaxvae import rng
from jaxvae.distributions.base import at_least_float32, distribution
from jaxvae.distributions.sampling import point
from jaxvae.types import Array, Key, Value


@distribution
class Mixture:
    """Mixture p(z) = sum_k w_k p_k(z), with weights w = softmax(logits).

    It has no axis of examples: the leading axis of its components is k.
    """

    components: Any
    """Distribution with one leading axis, `[K]` components."""
    logits: Array
    """`[K]` logarithms of the weights, up to a constant; zeros for equal weights."""

    @property
    def event_ndim(self) -> int:
        """Number of axes of one event."""
        return self.components.event_ndim

    @property
    def support(self) -> Any:
        """Support of the components."""
        return self.components.support

    @property
    def mean(self) -> Value:
        """Weighted mean of the components' means."""
        return self._average(self.components.mean)

    @property
    def point(self) -> Value:
        """Weighted mean of the components' points."""
        return self._average(point(self.components))

    def sample(self, key: Key) -> Value:
        """Sample all components and choose one, with one key or with one for each sample; no gradient in `logits`."""
        rng.check_key(key)
        if key.ndim:
            return jax.vmap(self.sample)(key)
        choice, noise = rng.sample_keys(key, 2)
        chosen = jax.random.categorical(choice, self._log_weights())
        # Choosing among values and not among components leaves networks that the components share alone.
        return jax.tree.map(lambda each: each[chosen], self.components.sample(noise))

    def log_prob(self, value: Value) -> Array:
        """Return `[...]` nats, summed over the components in logarithms, where none underflows."""
        return jax.nn.logsumexp(self._log_prob_by_each(value) + self._log_weights(), axis=-1)

    def _log_prob_by_each(self, value: Value) -> Array:
        if hasattr(self.components, "log_prob_by_each"):
            return self.components.log_prob_by_each(value)
        rows = jax.tree.map(lambda part: jnp.expand_dims(part, -1 - self.event_ndim), value)
        return at_least_float32(self.components.log_prob(rows))

    def _log_weights(self) -> Array:
        return jax.nn.log_softmax(at_least_float32(self.logits))

    def _average(self, values: Value) -> Value:
        weights = jnp.exp(self._log_weights())
        return jax.tree.map(lambda each: jnp.tensordot(weights, at_least_float32(each), 1), values)
