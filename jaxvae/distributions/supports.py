"""Comparison of supports: a density and a probability have no common unit."""

from __future__ import annotations

from typing import Any

from jaxvae.errors import InputError
from jaxvae.types import Distribution

_DISCRETE = dict.fromkeys(("real", "positive", "unit", "simplex"), False)
_DISCRETE |= dict.fromkeys(("binary", "integers", "levels", "counts", "codes", "one-hot"), True)


def check_supports(q: Distribution, p: Distribution) -> None:
    """Refuse a posterior and a prior with different supports, whose log q - log p would have no meaning.

    Another library's distributions are compared by `support.is_discrete`, as in NumPyro, if they have it.

    Raises:
        InputError: the supports differ.
    """
    if any(map(_differ, _supports(q), _supports(p))):
        raise InputError(
            f"prior: {type(p).__name__} is over other values than the posterior, {type(q).__name__}; "
            "give both the same support, such as two Normals"
        )


def is_discrete(d: Any) -> bool:
    """Return True for a distribution over discrete values, in one of its layers at least."""
    return any(_is_discrete(support) for support in _supports(d))


def _supports(d: Any) -> tuple[Any, ...]:
    """Return the support of each layer."""
    support = getattr(d, "support", None)
    return support if isinstance(support, tuple) else (support,)


def _differ(of_q: Any, of_p: Any) -> bool:
    if isinstance(of_q, str) and isinstance(of_p, str):
        return of_q != of_p and "any" not in (of_q, of_p)
    return {_is_discrete(of_q), _is_discrete(of_p)} == {True, False}


def _is_discrete(support: Any) -> bool | None:
    return _DISCRETE.get(support) if isinstance(support, str) else getattr(support, "is_discrete", None)
