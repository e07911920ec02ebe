"""Pieces of a model, of any kind: linen networks, objects with parameters of their own, and plain functions.

linen network    `apply`: called with its own parameters
piece            `init(key, ..., condition=None) -> own parameters`, called with the parameters of the whole model
function         no parameters; called with its inputs alone
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

import jax

from jaxvae.arguments import asked
from jaxvae.nets import pure
from jaxvae.types import Array, Key, Params


def has_parameters(piece: Any) -> bool:
    """Return True for networks and for pieces, False for plain functions."""
    return hasattr(piece, "init")


def init(
    name: str,
    piece: Any,
    key: Key,
    *inputs: Any,
    condition: Array | None = None,
    known: Mapping[str, Any] | None = None,
) -> Params:
    """Initialise the parameters of a piece from its inputs, made of examples; `{}` where it learns nothing.

    Args:
        name: name of the piece in messages.
        piece: network, piece or function.
        key: one key.
        inputs: as those of `call`; for a prior examples x.
        condition: `[B, ...]`, or None.
        known: further arguments, which a piece gets if its `init` asks for them by name.

    Raises:
        InputError: a network rejects its input, or is no pure function.
    """
    if hasattr(piece, "apply"):
        (x,) = inputs
        return pure.init(name, piece, key, x, condition)
    if has_parameters(piece):
        return piece.init(key, *inputs, **_given(piece.init, condition, known))
    return {}


def call(
    name: str,
    piece: Any,
    params: Params,
    *inputs: Any,
    condition: Array | None = None,
    known: Mapping[str, Any] | None = None,
) -> Any:
    """Call a piece on its inputs, with the condition if there is one and the piece takes it.

    Args:
        name: name under which the piece's parameters lie in `params`.
        piece: network, piece or function.
        params: parameters of the whole model.
        inputs: input of a network; outputs of the encoder or decoder for a posterior or a likelihood.
        condition: `[B, ...]`, or None.
        known: further arguments, which a piece gets if it asks for them by name.
    """
    if hasattr(piece, "apply"):
        (x,) = inputs
        return pure.apply(name, piece, params[name], x, condition)
    given = _given(piece, condition, known)
    return piece(params, *inputs, **given) if has_parameters(piece) else piece(*inputs, **given)


def labels(piece: Any, own: Params) -> Params:
    """Return the label of every parameter of a piece, `gradient` where it says nothing."""
    prefix = piece.labels(own) if hasattr(piece, "labels") else "gradient"
    return jax.tree.map(lambda label, part: jax.tree.map(lambda _: label, part), prefix, own)


def _given(function: Any, condition: Array | None, known: Mapping[str, Any] | None = None) -> dict[str, Any]:
    if condition is None and not known:
        return {}
    with contextlib.suppress(ValueError, TypeError):  # functions written in C have no signature
        return asked(function, {**({} if condition is None else {"condition": condition}), **(known or {})})
    return {}
