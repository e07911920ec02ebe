"""Normal pushed through planar maps, which have no inverse in closed form."""

from __future__ import annotations

import math
from typing import ClassVar

import jax
import jax.numpy as jnp

from jaxvae.distributions.base import Support, as_floats, at_least_float32, distribution
from jaxvae.distributions.normal import Normal
from jaxvae.types import Array, Key

SMALLEST_NORM = 1e-12
"""Lower bound of a squared norm by which one divides; the correction below it is too small to matter."""


@distribution
class PlanarFlow:
    r"""Normal pushed through maps y = x + v tanh(w.x + b), which bend space along planes.

        log q(y) = log N(x) - sum over maps of log(1 + v.w tanh'(w.x + b))
        v = u + (m(w.u) - w.u) w / |w|^2,    m(a) = softplus(a + log(e - 1)) - 1

    The correction of u keeps v.w above -1, where a map is invertible. It leaves u = 0 as it is, so that a map with
    u = 0 is the identity; the paper's m, without log(e - 1), does not.

    A sample comes with its density; the density of any other value is unknown, so there is no `log_prob`.

    Reference: Rezende & Mohamed 2015, https://arxiv.org/abs/1505.05770, equations 10 to 12 and appendix A.1.
    """

    support: ClassVar[Support] = "real"
    event_ndim: ClassVar[int] = 1
    base: Normal
    directions: Array
    """`[..., M, D]`, the u of M maps."""
    weights: Array
    """`[..., M, D]`, their w."""
    offsets: Array
    """`[..., M]`, their b."""

    @property
    def point(self) -> Array:
        """Value at the mean of the base."""
        return self._push(self.base.mean)[0]

    def sample(self, key: Key) -> Array:
        """Sample the base, and push."""
        return self._push(self.base.sample(key))[0]

    def sample_and_log_prob(self, key: Key) -> tuple[Array, Array]:
        """Return a sample and its log-density, `[...]` nats."""
        x = self.base.sample(key)
        y, log_det = self._push(x)
        return y, self.base.log_prob(x) - log_det

    def _push(self, x: Array) -> tuple[Array, Array]:
        """Return y `[..., D]`, and the logarithm of the determinant `[...]`."""
        x, log_det = at_least_float32(x), jnp.zeros((), jnp.float32)
        directions, weights, offsets = as_floats(self.directions, self.weights, self.offsets)
        for number in range(offsets.shape[-1]):
            x, more = _bend(x, directions[..., number, :], weights[..., number, :], offsets[..., number])
            log_det = log_det + more
        return x, log_det


def _bend(x: Array, direction: Array, weight: Array, offset: Array) -> tuple[Array, Array]:
    inner = (weight * direction).sum(-1)
    above = jax.nn.softplus(inner + math.log(math.e - 1))  # 1 + v.w, above 0
    norm = jnp.maximum(jnp.square(weight).sum(-1), SMALLEST_NORM)
    corrected = direction + ((above - 1 - inner) / norm)[..., None] * weight
    bend = jnp.tanh((weight * x).sum(-1) + offset)
    # 1 + v.w (1 - bend^2), as a sum of two positive numbers.
    determinant = jnp.square(bend) + above * (1 - jnp.square(bend))
    return x + bend[..., None] * corrected, jnp.log(determinant)
