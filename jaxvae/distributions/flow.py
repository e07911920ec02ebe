"""Normal pushed through inverse autoregressive maps: cheap to sample with its density, slower to score elsewhere."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ClassVar

import jax
import jax.numpy as jnp

from jaxvae.distributions.base import Support, at_least_float32, check_value, distribution
from jaxvae.distributions.normal import Normal
from jaxvae.types import Array, Key

Network = Callable[[Array, Array], Array]
"""Pytree and function `(x [..., D], context [..., C]) -> [..., D, 2]`, whose output d depends on x before d alone."""


@distribution
class InverseAutoregressiveFlow:
    r"""Normal pushed through maps y_d = s_d x_d + m_d, where s_d and m_d depend on x_1 ... x_{d-1} and a context.

        log q(y) = log N(x) - sum over maps and d of log s_d,    log s_d = 2 tanh(a_d / 2)

    The Jacobian of a map is triangular, its determinant the product of the s_d. Every second map takes the dimensions
    in reverse order. With outputs (a, m) of 0 a map is the identity.

    Sampling takes one pass of each network, and gives the density with it. `log_prob` of another value inverts the
    maps, one dimension after another: by the network's `solve` if it has one, as `MADE` has it, else in D passes.

    Reference: Kingma et al. 2016, https://arxiv.org/abs/1606.04934, equations 10 and 11. Their gates (equations 13 and
    14) are no identity at an output of 0, and may close so far that the inverse overflows.
    """

    support: ClassVar[Support] = "real"
    event_ndim: ClassVar[int] = 1
    base: Normal
    context: Array
    """`[..., C]`, with the leading axes of the base."""
    networks: tuple[Network, ...]
    """One network for each map."""

    @property
    def point(self) -> Array:
        """Value at the mean of the base."""
        return self._push(self.base.mean)[0]

    def sample(self, key: Key) -> Array:
        """Sample the base, and push."""
        return self._push(self.base.sample(key))[0]

    def sample_and_log_prob(self, key: Key) -> tuple[Array, Array]:
        """Return a sample and its log-density, `[...]` nats, without an inverse."""
        x = self.base.sample(key)
        y, log_det = self._push(x)
        return y, self.base.log_prob(x) - log_det

    def log_prob(self, value: Array) -> Array:
        """Return `[...]` nats, by inverting the maps."""
        check_value(value, self.base.mean.shape, self.event_ndim)
        # One value may be scored by several flows, as by the components of a mixture.
        leading = jnp.broadcast_shapes(value.shape[:-1], self.context.shape[:-1])
        x, total = at_least_float32(value), jnp.zeros((), jnp.float32)
        x = jnp.broadcast_to(x, (*leading, x.shape[-1]))
        for network, step in reversed(self._maps()):
            x, log_det = _inverse(network, x[..., ::step], self.context)
            x, total = x[..., ::step], total + log_det
        return self.base.log_prob(x) - total

    def _push(self, x: Array) -> tuple[Array, Array]:
        """Return y `[..., D]`, and the logarithm of the determinant `[...]`."""
        x, total = at_least_float32(x), jnp.zeros((), jnp.float32)
        for network, step in self._maps():
            x, log_det = _forward(network, x[..., ::step], self.context)
            x, total = x[..., ::step], total + log_det
        return x, total

    def _maps(self) -> list[tuple[Network, int]]:
        """Return each network, and the step through the dimensions in its order."""
        return [(network, -1 if number % 2 else 1) for number, network in enumerate(self.networks)]


def _forward(network: Network, x: Array, context: Array) -> tuple[Array, Array]:
    log_scale, shift = _log_scale_and_shift(network(x, context))
    return x * jnp.exp(log_scale) + shift, log_scale.sum(-1)


def _inverse(network: Network, y: Array, context: Array) -> tuple[Array, Array]:
    """Return x, and the logarithm of the determinant of `_forward` at x."""

    def undo(outputs: Array, y: Array) -> Array:
        log_scale, shift = _log_scale_and_shift(outputs)
        return (y - shift) * jnp.exp(-log_scale)

    solve = getattr(network, "solve", None) or functools.partial(_solve, network)
    x, outputs = solve(undo, y, context)
    return x, _log_scale_and_shift(outputs)[0].sum(-1)


def _solve(
    network: Network, choose: Callable[[Array, Array], Array], given: Array, context: Array
) -> tuple[Array, Array]:
    """Find the x with x_d = choose(outputs_d, given_d), by D passes; return it with the outputs."""

    def put(number: Array | int, x: Array) -> tuple[Array, Array]:
        outputs = network(x, context)
        # Later dimensions stay 0 until their turn, where wrong values might overflow: 0 times infinity is NaN.
        return jnp.where(jnp.arange(dim) == number, choose(outputs, given), x), outputs

    dim = given.shape[-1]
    # The outputs of the last dimension, too, are right before its value is.
    x = jax.lax.fori_loop(0, dim - 1, lambda number, x: put(number, x)[0], jnp.zeros_like(given))
    return put(dim - 1, x)


def _log_scale_and_shift(outputs: Array) -> tuple[Array, Array]:
    outputs = at_least_float32(outputs)
    return 2 * jnp.tanh(outputs[..., 0] / 2), outputs[..., 1]
