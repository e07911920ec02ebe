"""Kullback-Leibler divergences: exact where a closed form is known, one sample of log q - log p elsewhere."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxvae.distributions.base import at_least_float32, broadcast_floats, check_prior, flatten_event
from jaxvae.distributions.bernoulli import Bernoulli, softplus
from jaxvae.distributions.categorical import Categorical
from jaxvae.distributions.multivariate_normal import MultivariateNormal, diagonal_matrix, multivariate_gaussian_kl
from jaxvae.distributions.normal import Normal, gaussian_kl_per_dimension
from jaxvae.distributions.supports import check_supports
from jaxvae.types import Array, Distribution, Value

ClosedForm = Callable[..., Array]


class _Registered(NamedTuple):
    function: ClosedForm
    takes_value: bool
    separates: bool


_CLOSED_FORMS: dict[tuple[type, type], _Registered] = {}


def register_kl(q_type: type, p_type: type, *, separates: bool = True) -> Callable[[ClosedForm], ClosedForm]:
    """Register a closed form with `kl_divergence`, for your own or another library's distributions.

    The function registered takes `(q, p)`, or `(q, p, value)` where the KL is known only at a sample of q, and returns
    nats per dimension `[..., D]`; or `[..., 1]` with `separates=False`, where it is no sum over dimensions.
    """

    def register(closed_form: ClosedForm) -> ClosedForm:
        _CLOSED_FORMS[q_type, p_type] = _Registered(closed_form, _num_positional(closed_form) > 2, separates)
        return closed_form

    return register


def kl_separates(q: Distribution, p: Distribution) -> bool:
    """Return True where KL(q || p) is a sum of closed forms over the dimensions, so that each has a KL of its own.

    A distribution with `sample_and_kl` says so itself, by an attribute `kl_separates`.
    """
    if hasattr(q, "sample_and_kl"):
        return bool(getattr(q, "kl_separates", False))
    closed_form = _CLOSED_FORMS.get((type(q), type(p)))
    return closed_form is not None and closed_form.separates


def has_closed_form(q: Distribution, p: Distribution) -> bool:
    """Return True where the KL of the pair is registered, and False where it is log q - log p of a sample."""
    return (type(q), type(p)) in _CLOSED_FORMS


def kl_per_dimension(
    q: Distribution, p: Distribution, value: Value | None = None, *, log_q: Array | None = None
) -> Array:
    """Compute KL(q || p) before the sum over dimensions.

    Args:
        q: distribution of the expectation, usually a posterior.
        p: reference distribution, usually a prior.
        value: sample of q, needed only where no closed form is known without it.
        log_q: `[...]` log q(value), if known; otherwise `q.log_prob` gives it where it is needed.

    Returns:
        `[..., D]` nats; `[..., 1]` where the KL does not separate, or is estimated as log q(value) - log p(value).

    Raises:
        TypeError: the closed form of the pair needs a `value`, or none is known, and no `value` is given.
        InputError: no closed form is known, and the supports differ (a Bernoulli and a Normal).
    """
    closed_form = _CLOSED_FORMS.get((type(q), type(p)))
    if closed_form is not None and not closed_form.takes_value:
        return closed_form.function(q, p)
    if value is None:
        raise TypeError(
            f"no closed form of KL({type(q).__name__} || {type(p).__name__}) is known: "
            "pass value=, a sample of q, for an estimate, or teach one with register_kl"
        )
    if closed_form is not None:
        return closed_form.function(q, p, value)
    return log_ratio(q, p, value, log_q)[..., None]


def kl_divergence(q: Distribution, p: Distribution, value: Array | None = None) -> Array:
    """Compute KL(q || p) = E_q[log q - log p], `[...]` nats: `kl_per_dimension` summed over dimensions.

    >>> import jax.numpy as jnp
    >>> unit, moved = Normal(jnp.zeros(2), jnp.zeros(2)), Normal(jnp.array([1.0, 0.0]), jnp.zeros(2))
    >>> print(kl_divergence(moved, unit))
    0.5
    """
    return kl_per_dimension(q, p, value).sum(-1)


def log_ratio(q: Distribution, p: Distribution, value: Value, log_q: Array | None = None) -> Array:
    """Compute `[B]` log q(value) - log p(value) in nats, whose mean is the KL if the value is a sample of q.

    Raises:
        InputError: the supports differ (a Bernoulli and a Normal).
    """
    check_supports(q, p)
    log_q = log_prob_per_example(q, value) if log_q is None else log_q
    log_q, log_p = broadcast_floats(log_q, log_prob_per_example(p, value))
    return log_q - log_p


def log_prob_per_example(distribution: Distribution, value: Value) -> Array:
    """Compute `[B]` log-densities, also of another library's distribution that does not sum over the event's axes."""
    return per_example(distribution, value, distribution.log_prob(value))


def per_example(distribution: Distribution, value: Value, log_prob: Array) -> Array:
    """Sum log-densities of a value to `[B]`, where the distribution does not sum over the event's axes itself."""
    log_prob = at_least_float32(log_prob)
    if hasattr(distribution, "event_ndim") or not jax.tree_util.all_leaves([value]):
        return log_prob
    whole, event = jnp.shape(value), tuple(getattr(distribution, "event_shape", ()))
    if log_prob.shape != whole[: log_prob.ndim] or whole[len(whole) - len(event) :] != event:
        name = type(distribution).__name__
        raise ValueError(
            f"value {whole} does not fit {name}, whose log_prob has shape {log_prob.shape} and event {event}"
        )
    # NumPyro's Normal without `.to_event()` scores `[B, D]`: the first axis is the batch, the rest is the event.
    return log_prob.sum(axis=tuple(range(1, log_prob.ndim)))


def _num_positional(function: ClosedForm) -> int:
    parameters = inspect.signature(function).parameters.values()
    return sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters)


@register_kl(Normal, Normal)
def _normal_normal(q: Normal, p: Normal) -> Array:
    check_prior(_shape(q.mean, q.log_var), _shape(p.mean, p.log_var), q.event_ndim)
    kl = gaussian_kl_per_dimension(q.mean, q.log_var, p.mean, p.log_var)
    return flatten_event(kl, q.event_ndim)


@register_kl(Bernoulli, Bernoulli)
def _bernoulli_bernoulli(q: Bernoulli, p: Bernoulli) -> Array:
    check_prior(q.logits.shape, p.logits.shape, q.event_ndim)
    of_q, of_p = broadcast_floats(q.logits, p.logits)
    # log sigmoid(l) = -softplus(-l), for 1 and 0
    one = _expected(-softplus(-of_q), -softplus(-of_p))
    zero = _expected(-softplus(of_q), -softplus(of_p))
    return flatten_event(one + zero, q.event_ndim)


@register_kl(Categorical, Categorical)
def _categorical_categorical(q: Categorical, p: Categorical) -> Array:
    check_prior(q.logits.shape[:-1], p.logits.shape[:-1], q.event_ndim)
    of_q, of_p = map(jax.nn.log_softmax, broadcast_floats(q.logits, p.logits))
    return flatten_event(_expected(of_q, of_p).sum(-1), q.event_ndim)


def _expected(log_q: Array, log_p: Array) -> Array:
    """Compute q (log q - log p) of one outcome; an impossible one adds nothing, and has no gradient."""
    return jnp.exp(log_q) * jnp.where(log_q == -jnp.inf, 0.0, log_q - log_p)


@register_kl(MultivariateNormal, MultivariateNormal, separates=False)
@register_kl(MultivariateNormal, Normal, separates=False)
@register_kl(Normal, MultivariateNormal, separates=False)
def _full_covariance(q: Normal | MultivariateNormal, p: Normal | MultivariateNormal) -> Array:
    check_prior(jnp.shape(q.mean), jnp.shape(p.mean), q.event_ndim)
    return multivariate_gaussian_kl(q.mean, _cholesky(q), p.mean, _cholesky(p))[..., None]


def _cholesky(d: Normal | MultivariateNormal) -> Array:
    if isinstance(d, MultivariateNormal):
        return d.cholesky
    # One number may stand for all log-variances.
    _, log_var = broadcast_floats(d.mean, d.log_var)
    return diagonal_matrix(jnp.exp(0.5 * log_var))


def _shape(*parameters: Array) -> tuple[int, ...]:
    return jnp.broadcast_shapes(*map(jnp.shape, parameters))
