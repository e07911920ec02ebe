"""Distributions of distrax and TensorFlow Probability, whose methods differ from jaxvae's and NumPyro's."""

from __future__ import annotations

from typing import Any

from jaxvae.distributions.base import distribution
from jaxvae.distributions.kl import per_example
from jaxvae.types import Array, Key, Value


@distribution
class Foreign:
    """Distribution with `sample(seed=key)` and methods `mean()` and `mode()`, under jaxvae's names."""

    wrapped: Any

    @property
    def event_shape(self) -> tuple[int, ...]:
        """Shape of one event."""
        return tuple(self.wrapped.event_shape)

    @property
    def mean(self) -> Value:
        """Expected value."""
        return self.wrapped.mean()

    @property
    def mode(self) -> Value:
        """Most probable value."""
        return self.wrapped.mode()

    def sample(self, key: Key) -> Value:
        """Sample one value."""
        return self.wrapped.sample(seed=key)

    def log_prob(self, value: Value) -> Array:
        """Compute the log-density in nats."""
        return self.wrapped.log_prob(value)

    def sample_and_log_prob(self, key: Key) -> tuple[Value, Array | None]:
        """Sample a value, with its log-density per example, or None where the distribution does not offer both."""
        for name in ("sample_and_log_prob", "experimental_sample_and_log_prob"):
            if hasattr(self.wrapped, name):
                value, log_prob = getattr(self.wrapped, name)(seed=key)
                return value, per_example(self, value, log_prob)
        return self.sample(key), None


def foreign(distribution: Any) -> Foreign:
    """Adapt a distribution of distrax or TensorFlow Probability, which a model may then return.

    NumPyro's distributions need no adapter.

    >>> import jax, jax.numpy as jnp
    >>> class Coin:  # an object as distrax has them
    ...     event_shape = ()
    ...     def sample(self, *, seed): return jax.random.bernoulli(seed, shape=(2,))
    ...     def mean(self): return jnp.full(2, 0.5)
    ...     def log_prob(self, value): return jnp.log(jnp.full(2, 0.5))
    >>> coin = foreign(Coin())
    >>> coin.sample(jax.random.key(0)).shape, coin.mean.tolist()
    ((2,), [0.5, 0.5])
    """
    return Foreign(distribution)
