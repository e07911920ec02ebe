"""Distributions of pixels in [0, 1]: Bernoulli, continuous Bernoulli, and the unnormalised cross-entropy."""

from __future__ import annotations

import functools
from typing import ClassVar

import jax
import jax.numpy as jnp

from jaxvae.distributions.base import (
    Support,
    at_least_float32,
    cast_like,
    distribution,
    draw,
    event_rows,
    static,
)
from jaxvae.types import Array, Key


@jax.custom_jvp
def softplus(x: Array) -> Array:
    """Compute log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|)), whose derivative is the sigmoid.

    `jax.nn.softplus` has the same values; this one's gradient takes two thirds of the time.
    """
    return jnp.maximum(x, 0) + jnp.log1p(jnp.exp(-jnp.abs(x)))


@softplus.defjvp
def _softplus_jvp(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    (x,), (tangent,) = primals, tangents
    return softplus(x), jax.nn.sigmoid(x) * tangent


def _cross_entropy(value: Array, logits: Array) -> Array:
    # x log sigmoid(l) + (1 - x) log sigmoid(-l) = x l - softplus(l): no probability is computed, so none can be 0.
    return _within(value, logits, jnp.where(jnp.isinf(logits), 0.0, value * logits - softplus(logits)))


def _within(value: Array, logits: Array, log_prob: Array) -> Array:
    """Replace log_prob by -inf outside [0, 1], or off the one value that an infinite logit allows; NaN stays NaN."""
    impossible = jnp.isinf(logits) & (value != (logits > 0).astype(value.dtype))
    return jnp.where((value < 0) | (value > 1) | impossible, -jnp.inf, log_prob)


@distribution
class Bernoulli:
    """Independent Bernoulli variables, log p(x) = sum [ x l - softplus(l) ] for x in {0, 1}.

    For x between 0 and 1 the expression is the expectation over binary values with mean x, and no likelihood: use
    `ContinuousBernoulli`, or `GreyCrossEntropy` if it is intended. Outside [0, 1] it is -inf. An infinite logit makes
    one value certain: its log-probability is 0, the other's -inf.
    """

    support: ClassVar[Support] = "binary"
    logits: Array
    event_ndim: int = static(default=1)

    @property
    def mean(self) -> Array:
        """Probability of a 1."""
        return _sigmoid(self.logits)

    @property
    def mode(self) -> Array:
        """Likelier value, 0. or 1."""
        return cast_like((self.logits > 0).astype(jnp.float32), self.logits)

    def sample(self, key: Key) -> Array:
        """Sample 0. or 1.; not differentiable."""
        logits = at_least_float32(self.logits)
        noise = draw(jax.random.uniform, key, logits.shape, logits.dtype)
        return cast_like((noise < jax.nn.sigmoid(logits)).astype(logits.dtype), self.logits)

    def log_prob(self, value: Array) -> Array:
        """Return `[...]` nats."""
        return _cross_entropy(*event_rows(self.event_ndim, value, self.logits)).sum(-1)


@distribution
class GreyCrossEntropy:
    """Binary cross-entropy on grey values x in [0, 1], a popular reconstruction term. It is not a likelihood.

    It does not integrate to one over [0, 1], and its maximum is minus the entropy of the image, not 0: a "bound" with
    it can be compared only with others of the same kind.
    """

    support: ClassVar[Support] = "unit"
    normalized: ClassVar[bool] = False
    logits: Array
    event_ndim: int = static(default=1)

    @property
    def mean(self) -> Array:
        """Grey value of a decoder with these logits."""
        return _sigmoid(self.logits)

    def sample(self, key: Key) -> Array:
        """Return the mean, because there is no distribution to sample from."""
        return self.mean

    def log_prob(self, value: Array) -> Array:
        """Return `[...]`, minus the cross-entropy in nats; unnormalised."""
        return _cross_entropy(*event_rows(self.event_ndim, value, self.logits)).sum(-1)


@distribution
class ContinuousBernoulli:
    r"""Normalised density on [0, 1] with the Bernoulli's exponent: p(x) = exp(x l) l / (exp(l) - 1).

    Reference: Loaiza-Ganem & Cunningham 2019, https://arxiv.org/abs/1907.06845, equations 4-9.
    """

    support: ClassVar[Support] = "unit"
    logits: Array
    event_ndim: int = static(default=1)

    @property
    def mean(self) -> Array:
        """Mean 1 / (1 - exp(-l)) - 1 / l, which is not sigmoid(l)."""
        logits = at_least_float32(self.logits)
        small, safe = _split_small(logits, 0.3)
        series = 0.5 + logits / 12 - logits**3 / 720 + logits**5 / 30240
        mean = jnp.where(small, series, 1 / -jnp.expm1(-safe) - 1 / safe)
        return cast_like(mean, self.logits)

    def sample(self, key: Key) -> Array:
        """Sample by the inverse distribution function, differentiable in the logits."""
        logits = at_least_float32(self.logits)
        # Never 0: 1 - noise must stay below 1, or a large positive logit gives log(0).
        uniform = functools.partial(jax.random.uniform, minval=jnp.finfo(logits.dtype).eps)
        noise = draw(uniform, key, logits.shape, logits.dtype)
        small, safe = _split_small(logits, 0.01)
        series = noise + logits * noise * (1 - noise) * (0.5 + logits / 6 * (1 - 2 * noise))
        # Computed for negative logits, where expm1 stays in (-1, 0]; a positive logit is the mirror image.
        slope = -jnp.abs(safe)
        falling = jnp.log1p(jnp.where(safe > 0, 1 - noise, noise) * jnp.expm1(slope)) / slope
        return cast_like(jnp.where(small, series, jnp.where(safe > 0, 1 - falling, falling)), self.logits)

    def log_prob(self, value: Array) -> Array:
        """Return `[...]` log-densities in nats, which may be positive."""
        value, logits = event_rows(self.event_ndim, value, self.logits)
        anchor, log_normalizer = _log_normalizer(logits)
        residual = jnp.where(jnp.isinf(logits), 0.0, (value - anchor) * logits)
        return _within(value, logits, residual - log_normalizer).sum(-1)


def _sigmoid(logits: Array) -> Array:
    return cast_like(jax.nn.sigmoid(at_least_float32(logits)), logits)


def _log_normalizer(logits: Array) -> tuple[Array, Array]:
    """Return a point a in [0, 1], and the logarithm of the integral of exp(l (x - a)) over x in [0, 1].

    a is 1 / 2 near l = 0, and the likely end for large |l|, where the logarithm of (exp(l) - 1) / l would lose digits.
    """
    small, safe = _split_small(logits, 0.3)
    series = logits**2 / 24 - logits**4 / 2880 + logits**6 / 181440
    size = jnp.abs(safe)
    return (
        jnp.where(small, 0.5, jnp.where(safe > 0, 1.0, 0.0)),
        jnp.where(small, series, jnp.log(-jnp.expm1(-size) / size)),
    )


def _split_small(logits: Array, threshold: float) -> tuple[Array, Array]:
    """Return a mask of logits that need a series, and logits that are safe to divide by (so no NaN gradient)."""
    small = jnp.abs(logits) < threshold
    return small, jnp.where(small, 1.0, logits)
