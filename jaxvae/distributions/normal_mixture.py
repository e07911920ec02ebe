"""Mixture of normals for each number: the output of a mixture density network."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp

from jaxvae.distributions.base import Support, at_least_float32, cast_like, check_value, distribution, draw_with
from jaxvae.distributions.normal import LOG_2PI
from jaxvae.types import Array, Key


@distribution
class NormalMixture:
    """Independent mixtures of K normals, one for each of D numbers, with weights w = softmax(logits).

        p(x) = prod_d sum_k w_dk N(x_d; mean_dk, exp(log_var_dk))

    In `Mixture` all numbers share the choice of a component, and all examples the components; here neither.

    Reference: Bishop 1994, Mixture density networks, https://publications.aston.ac.uk/id/eprint/373, equation 22.
    """

    support: ClassVar[Support] = "real"
    event_ndim: ClassVar[int] = 1
    logits: Array
    """`[..., D, K]` logarithms of the weights, up to a constant."""
    means: Array
    """`[..., D, K]`."""
    log_vars: Array
    """`[..., D, K]`."""

    @property
    def mean(self) -> Array:
        """Weighted mean of the components' means, `[..., D]`."""
        weights = jnp.exp(self._log_weights())
        return cast_like((weights * at_least_float32(self.means)).sum(-1), self.means)

    def sample(self, key: Key) -> Array:
        """Sample with one key, or with one for each example; no gradient in `logits`."""
        return draw_with(_sample, key, self.logits, self.means, self.log_vars)

    def log_prob(self, value: Array) -> Array:
        """Return `[...]` nats, summed over the components in logarithms, where none underflows."""
        check_value(value, self.means.shape[:-1], 1)
        means, log_vars = at_least_float32(self.means), at_least_float32(self.log_vars)
        residuals = (at_least_float32(value)[..., None] - means) * jnp.exp(-0.5 * log_vars)
        log_probs = -0.5 * (LOG_2PI + log_vars + jnp.square(residuals))
        return jax.nn.logsumexp(log_probs + self._log_weights(), axis=-1).sum(-1)

    def tempered(self, temperature: Array | float) -> NormalMixture:
        """Return the mixture at a temperature: logits are divided by it, variances multiplied.

        Reference: Ha & Schmidhuber 2018, World models, https://arxiv.org/abs/1803.10122, appendix A.2.
        """
        log_vars = self.log_vars + jnp.log(temperature)
        return dataclasses.replace(self, logits=self.logits / temperature, log_vars=log_vars)

    def _log_weights(self) -> Array:
        return jax.nn.log_softmax(at_least_float32(self.logits))


def _sample(key: Key, logits: Array, means: Array, log_vars: Array) -> Array:
    choice, noise = jax.random.split(key)
    chosen = jax.random.categorical(choice, at_least_float32(logits))[..., None]
    mean, log_var = (jnp.take_along_axis(each, chosen, axis=-1)[..., 0] for each in (means, log_vars))
    eps = jax.random.normal(noise, mean.shape)
    return cast_like(at_least_float32(mean) + jnp.exp(0.5 * at_least_float32(log_var)) * eps, means)
