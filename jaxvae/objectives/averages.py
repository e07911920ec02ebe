"""Moving averages of batch statistics, such as the counts and sums of a codebook, as parameters of a model.

A leaf labelled `average` moves by SGD with rate 1 (see `training.labels`), and its gradient is made here:

    gradient = old - target,    so that    new = old - gradient = target

A target is `decay * old + (1 - decay) * mean_b statistic_b`, linear in the weights of the examples. So weights, sums
over devices and accumulation over parts of a batch are exact, and a checkpoint needs nothing besides the parameters.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jaxvae.arguments import asked
from jaxvae.objectives.weights import blank_padding
from jaxvae.types import AVERAGE, FROZEN, GRADIENT, SCHEDULED, Array, Key, Model, Params


def with_averages(
    objective: Callable[..., tuple[Array, Any]], labels: Params = None
) -> Callable[..., tuple[Array, Any]]:
    """Let an objective also move the averages of its model, with the same value and terms.

    A model with averages has `labels(params)`, the label of each leaf, and `targets(params, posterior, weights,
    step_key)`, the averages' targets as a part of the tree of parameters. For any other model nothing changes.

    Args:
        objective: function `(params, key, x, *, model, condition=None, weights=None, ...) -> (loss, aux)`.
        labels: labels of the parameters; the model's if not given.

    Returns:
        The same function, which also asks for `step_key`, one key of the training step.
    """

    @functools.wraps(objective)
    def loss(
        params: Params,
        key: Key,
        x: Array,
        *,
        model: Model,
        condition: Array | None = None,
        weights: Array | None = None,
        step_key: Key | None = None,
        **options: Any,
    ) -> tuple[Array, Any]:
        known = _labels(model, params) if labels is None else labels
        arguments = {**options, **asked(objective, {"step_key": step_key})}
        held = hold(params, known)
        value, aux = objective(held, key, x, model=model, condition=condition, weights=weights, **arguments)
        if AVERAGE not in jax.tree.leaves(known):
            return value, aux
        x, condition = blank_padding(weights, x, condition)
        posterior = model.encode(held, x, *(() if condition is None else (condition,)))
        targets = model.targets(held, posterior, weights, step_key)  # type: ignore[attr-defined]
        return pull(value, _part(params, targets), jax.lax.stop_gradient(targets)), aux

    loss.__signature__ = _asking_for_step_key(objective)  # type: ignore[attr-defined]
    return loss


def hold(params: Params, labels: Params) -> Params:
    """Stop the gradient of the leaves that an objective does not move: averages, scheduled and frozen ones."""

    def choose(label: str, leaf: Array) -> Array:
        return jax.lax.stop_gradient(leaf) if label in (AVERAGE, SCHEDULED, FROZEN) else leaf

    return jax.tree.map(choose, jax.tree.broadcast(labels, params), params)


@jax.custom_jvp
def pull(value: Array, old: Params, targets: Params) -> Array:
    """Return `value`, whose gradient in `old` is `old - targets`."""
    del old, targets
    return value


@pull.defjvp
def _pull_jvp(primals: tuple[Array, Params, Params], tangents: tuple[Array, Params, Params]) -> tuple[Array, Array]:
    value, old, targets = primals
    towards = jax.tree.map(lambda o, t, d: jnp.vdot(o - t, d), old, targets, tangents[1])
    return value, tangents[0] + sum(jax.tree.leaves(towards))


def _labels(model: Any, params: Params) -> Params:
    return model.labels(params) if hasattr(model, "labels") else GRADIENT


def _part(params: Params, like: Params) -> Params:
    """Return the part of nested dicts that another such tree has."""
    return {name: _part(params[name], inner) for name, inner in like.items()} if isinstance(like, dict) else params


def _asking_for_step_key(objective: Callable[..., Any]) -> inspect.Signature:
    signature = inspect.signature(objective)
    if "step_key" in signature.parameters:
        return signature
    parameters = list(signature.parameters.values())
    # A parameter `**options` stays the last.
    place = len(parameters) - (parameters[-1].kind is inspect.Parameter.VAR_KEYWORD)
    parameters.insert(place, inspect.Parameter("step_key", inspect.Parameter.KEYWORD_ONLY, default=None))
    return signature.replace(parameters=parameters)
