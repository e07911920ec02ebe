"""Recipe from options by their names, as a command line, a TOML file or an earlier config gives them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from jaxvae.errors import InputError, did_you_mean
from jaxvae.options.names import options, replace
from jaxvae.options.presets import PRESETS
from jaxvae.options.recipe import AXES, Recipe, kind_of
from jaxvae.options.schedules import Schedule
from jaxvae.options.values import typed

ALIASES: Mapping[str, str] = {
    "corruption_level": "corruption.level",
    "upper_latent_dims": "posterior.upper_latent_dims",
    "upper_hidden": "posterior.upper_hidden",
}
"""Names of version 0.1 that are other names now."""
LAYERS = "upper_latent_dims"
"""Option of version 0.1 that makes posterior and prior `layers`."""
WARMUP = "beta_warmup_steps"
"""Option of version 0.1 that makes beta a schedule."""
BOARD = "tensorboard"
"""Option of version 0.1, True or False, that is one of the trackers now."""


def given(recipe: Recipe | None = None, /, **values: Any) -> Recipe:
    """Return a recipe with options by their names, such as `hidden=(500,)` or `**{"prior.num_inputs": 50}`.

    An option of None is one that is not given. Choices, such as `prior="vamp"`, come before their options.

    Args:
        recipe: the recipe to change; that of `preset`, or of `auto` without one, if not given.
        values: options by name.

    Raises:
        InputError: there is no such preset or choice, the choices do not take an option, or a value is of another type.
    """
    values = {ALIASES.get(name, name): value for name, value in values.items() if value is not None}
    recipe = recipe or preset(typed("preset", str, values.pop("preset", "auto")))
    layered = bool(values.get(ALIASES[LAYERS]))
    for axis in AXES:
        if axis in values:
            recipe = recipe.choose(axis, typed(axis, str, values.pop(axis)))
    recipe = in_layers(recipe) if layered else recipe
    warmup_steps = typed(WARMUP, int, values.pop(WARMUP, 0))
    board = values.pop(BOARD, None)
    known = options(recipe)
    changes = {name: typed(name, known[name].kind, value) for name, value in values.items() if name in known}
    recipe = warmed_up(replace(recipe, {**values, **changes}), warmup_steps)
    return recipe if board is None else with_board(recipe, typed(BOARD, bool, board))


def preset(name: str) -> Recipe:
    """Return a row of the table.

    Raises:
        InputError: there is no such row.
    """
    if name not in PRESETS:
        raise InputError(f"preset: must be one of {', '.join(PRESETS)}, got {name!r}{did_you_mean(name, PRESETS)}")
    return dataclasses.replace(PRESETS[name], preset=name)


def warmed_up(recipe: Recipe, steps: int) -> Recipe:
    """Return a recipe whose beta rises from 0 over its first steps.

    Raises:
        InputError: beta is a schedule already.
    """
    if not steps:
        return recipe
    beta = recipe.objective.beta
    if isinstance(beta, Schedule):
        raise InputError(f"{WARMUP.replace('_', '-')}: beta is a schedule already, {beta}; leave one of them out")
    return replace(recipe, {"beta": Schedule(0.0, beta, steps)})


def with_board(recipe: Recipe, wanted: bool) -> Recipe:
    """Return a recipe with TensorBoard among its trackers, or without it."""
    others = tuple(name for name in recipe.output.track if name != BOARD)
    return replace(recipe, {"track": (BOARD, *others) if wanted else others})


def in_layers(recipe: Recipe) -> Recipe:
    """Return a recipe with several stochastic layers in place of one normal.

    Raises:
        InputError: its posterior is of another kind.
    """
    kind = kind_of(recipe.posterior, AXES["posterior"])
    if kind not in ("normal", "layers"):
        raise InputError(f"posterior: layers above z go with normal, got {kind}; leave one of them out")
    return recipe.choose("posterior", "layers").choose("prior", "layers")
