"""Kullback-Leibler divergences: exact where a closed form is known, one sample of log q - log p elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jaxvae.distributions.base import at_least_float32, broadcast_floats, check_prior, flatten_event
from jaxvae.distributions.bernoulli import Bernoulli, softplus
from jaxvae.distributions.categorical import Categorical
from jaxvae.distributions.multivariate_normal import MultivariateNormal, diagonal_matrix, multivariate_gaussian_kl
from jaxvae.distributions.normal import Normal, gaussian_kl_per_dimension
from jaxvae.distributions.supports import check_supports
from jaxvae.types import Array, Distribution, Value

ClosedForm = Callable[[Any, Any], Array]
_CLOSED_FORMS: dict[tuple[type, type], ClosedForm] = {}


def register_kl(q_type: type, p_type: type) -> Callable[[ClosedForm], ClosedForm]:
    """Register a closed form with `kl_divergence`, for your own or another library's distributions.

    The function registered takes `(q, p)` and returns nats per dimension `[..., D]`, or `[..., 1]` where the KL does
    not separate into dimensions.
    """

    def register(closed_form: ClosedForm) -> ClosedForm:
        _CLOSED_FORMS[q_type, p_type] = closed_form
        return closed_form

    return register


def kl_per_dimension(q: Distribution, p: Distribution, value: Array | None = None) -> Array:
    """Compute KL(q || p) before the sum over dimensions.

    Args:
        q: distribution of the expectation, usually a posterior.
        p: reference distribution, usually a prior.
        value: sample of q, needed only where no closed form is known.

    Returns:
        `[..., D]` nats; `[..., 1]` where the KL does not separate, or is estimated as log q(value) - log p(value).

    Raises:
        TypeError: no closed form is known for the pair and no `value` is given.
        InputError: no closed form is known, and the supports differ (a Bernoulli and a Normal).
    """
    closed_form = _CLOSED_FORMS.get((type(q), type(p)))
    if closed_form is not None:
        _check_dimensions(q, p)
        return closed_form(q, p)
    if value is None:
        raise TypeError(
            f"no closed form of KL({type(q).__name__} || {type(p).__name__}) is known: "
            "pass value=, a sample of q, for an estimate, or teach one with register_kl"
        )
    return log_ratio(q, p, value)[..., None]


def kl_divergence(q: Distribution, p: Distribution, value: Array | None = None) -> Array:
    """Compute KL(q || p) = E_q[log q - log p], `[...]` nats: `kl_per_dimension` summed over dimensions.

    >>> import jax.numpy as jnp
    >>> unit, moved = Normal(jnp.zeros(2), jnp.zeros(2)), Normal(jnp.array([1.0, 0.0]), jnp.zeros(2))
    >>> print(kl_divergence(moved, unit))
    0.5
    """
    return kl_per_dimension(q, p, value).sum(-1)


def log_ratio(q: Distribution, p: Distribution, value: Value) -> Array:
    """Compute `[B]` log q(value) - log p(value) in nats, whose mean is the KL if the value is a sample of q.

    Raises:
        InputError: the supports differ (a Bernoulli and a Normal).
    """
    check_supports(q, p)
    log_q, log_p = broadcast_floats(log_prob_per_example(q, value), log_prob_per_example(p, value))
    return log_q - log_p


def log_prob_per_example(distribution: Distribution, value: Array) -> Array:
    """Compute `[B]` log-densities, also of another library's distribution that does not sum over the event's axes."""
    log_prob = at_least_float32(distribution.log_prob(value))
    if hasattr(distribution, "event_ndim"):
        return log_prob
    whole, event = jnp.shape(value), tuple(getattr(distribution, "event_shape", ()))
    if log_prob.shape != whole[: log_prob.ndim] or whole[len(whole) - len(event) :] != event:
        name = type(distribution).__name__
        raise ValueError(
            f"value {whole} does not fit {name}, whose log_prob has shape {log_prob.shape} and event {event}"
        )
    # NumPyro's Normal without `.to_event()` scores `[B, D]`: the first axis is the batch, the rest is the event.
    return log_prob.sum(axis=tuple(range(1, log_prob.ndim)))


def _check_dimensions(q: Any, p: Any) -> None:
    """Refuse a prior with other dimensions; jaxvae's distributions with a closed form have one mean per dimension."""
    if hasattr(q, "event_ndim") and hasattr(p, "event_ndim"):
        check_prior(_shape(q), _shape(p), q.event_ndim)


def _shape(d: Any) -> tuple[int, ...]:
    if isinstance(d, Categorical):
        return d.logits.shape[:-1]
    if isinstance(d, MultivariateNormal):
        return d.mean.shape
    return jnp.broadcast_shapes(*(jnp.shape(leaf) for leaf in jax.tree.leaves(d)))


@register_kl(Normal, Normal)
def _normal_normal(q: Normal, p: Normal) -> Array:
    kl = gaussian_kl_per_dimension(q.mean, q.log_var, p.mean, p.log_var)
    return flatten_event(kl, q.event_ndim)


@register_kl(Bernoulli, Bernoulli)
def _bernoulli_bernoulli(q: Bernoulli, p: Bernoulli) -> Array:
    of_q, of_p = broadcast_floats(q.logits, p.logits)
    # log sigmoid(l) = -softplus(-l), for 1 and 0
    one = _expected(-softplus(-of_q), -softplus(-of_p))
    zero = _expected(-softplus(of_q), -softplus(of_p))
    return flatten_event(one + zero, q.event_ndim)


@register_kl(Categorical, Categorical)
def _categorical_categorical(q: Categorical, p: Categorical) -> Array:
    of_q, of_p = map(jax.nn.log_softmax, broadcast_floats(q.logits, p.logits))
    return flatten_event(_expected(of_q, of_p).sum(-1), q.event_ndim)


def _expected(log_q: Array, log_p: Array) -> Array:
    """Compute q (log q - log p) of one outcome; an impossible one adds nothing, and has no gradient."""
    return jnp.exp(log_q) * jnp.where(log_q == -jnp.inf, 0.0, log_q - log_p)


@register_kl(MultivariateNormal, MultivariateNormal)
@register_kl(MultivariateNormal, Normal)
@register_kl(Normal, MultivariateNormal)
def _full_covariance(q: Normal | MultivariateNormal, p: Normal | MultivariateNormal) -> Array:
    return multivariate_gaussian_kl(q.mean, _cholesky(q), p.mean, _cholesky(p))[..., None]


def _cholesky(d: Normal | MultivariateNormal) -> Array:
    if isinstance(d, MultivariateNormal):
        return d.cholesky
    # One number may stand for all log-variances.
    _, log_var = broadcast_floats(d.mean, d.log_var)
    return diagonal_matrix(jnp.exp(0.5 * log_var))
