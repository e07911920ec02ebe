"""Parts of a run, each made of the options that it needs: loss, schedules, optimizer, initial state, evaluation."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from jaxvae import rng
from jaxvae.data import Split
from jaxvae.data.batches import sequential_batches
from jaxvae.evaluation import evaluate_elbo
from jaxvae.model import VAE
from jaxvae.nets import with_output_bias
from jaxvae.objectives import denoising
from jaxvae.options.groups import Train
from jaxvae.options.recipe import Recipe
from jaxvae.options.schedules import Schedule, ends
from jaxvae.presets import Values
from jaxvae.training import guarded, init_state
from jaxvae.training.optimizer import adam, learning_rate_schedule, with_average
from jaxvae.training.step import Loss
from jaxvae.types import Array, Batch, InputError, Key, Params, TrainState, first_line


class Parts(NamedTuple):
    """Functions of a run that its options and the shape of the data decide."""

    model: VAE
    loss: Loss
    schedules: Mapping[str, Schedule]
    """Arguments of the loss that change with the step."""
    optimizer: optax.GradientTransformation
    reports_elbo: bool
    """False where the posterior is a point without a density, whose KL is infinite."""


def build_parts(recipe: Recipe, shape: tuple[int, ...]) -> Parts:
    """Build the parts of a settled recipe for examples of a shape.

    Raises:
        InputError: the choices do not fit each other or the data.
    """
    space = Values(shape)
    model = recipe.build(space)
    options = {field.name: getattr(recipe.objective, field.name) for field in dataclasses.fields(recipe.objective)}
    schedules = {name: value for name, value in options.items() if isinstance(value, Schedule)}
    constants = {name: value for name, value in options.items() if name not in schedules}
    loss = functools.partial(_objective(recipe), model=model, **constants)
    x, params = space.zeros(2), jax.eval_shape(model.init, jax.random.key(0), space.zeros(1))
    for number in (0, 1):
        _check_loss(loss, params, x, {name: ends(value)[number] for name, value in schedules.items()})
    posterior = jax.eval_shape(model.encode, params, x)
    return Parts(model, loss, schedules, build_optimizer(recipe.train), getattr(posterior, "has_density", True))


def _objective(recipe: Recipe) -> Any:
    """Return the objective, whose encoder gets corrupted examples if the recipe says so."""
    function, corruption = recipe.objective.function, recipe.corruption
    return denoising(function, corruption.function, corruption.level) if hasattr(corruption, "level") else function


def _check_loss(loss: Loss, params: Params, x: Array, scheduled: Mapping[str, Any]) -> None:
    """Refuse a combination that cannot work, by the shapes of one loss."""
    key = rng.example_keys(jax.random.key(0), jnp.arange(len(x)))
    try:
        jax.eval_shape(
            lambda params: loss(params, key, x, condition=None, weights=jnp.ones(len(x)), **scheduled), params
        )
    except InputError:
        raise
    except (TypeError, ValueError, NotImplementedError) as error:
        raise InputError(f"the choices do not fit each other: {first_line(error)}") from error


def build_learning_rate(train: Train) -> optax.Schedule:
    """Build the schedule of the learning rate."""
    return learning_rate_schedule(
        train.learning_rate, steps=train.steps, warmup_steps=train.warmup_steps, decay=train.decay
    )


def build_optimizer(train: Train) -> optax.GradientTransformation:
    """Build Adam with clipping, guard and average."""
    scheduled = train.warmup_steps or train.decay != "none"
    optimizer = adam(build_learning_rate(train) if scheduled else train.learning_rate, train.weight_decay)
    if train.clip_norm is not None:
        optimizer = optax.chain(optax.clip_by_global_norm(train.clip_norm), optimizer)
    optimizer = guarded(optimizer, train.on_nonfinite)
    return optimizer if train.ema_decay is None else with_average(optimizer, train.ema_decay)


def initial_state(
    recipe: Recipe, parts: Parts, shape: tuple[int, ...], mean: Array | None = None, params: Params | None = None
) -> TrainState:
    """Make the state before the first step; with several seeds their states, stacked along a first axis.

    Args:
        recipe: settled.
        parts: parts of the recipe.
        shape: shape of one example.
        mean: `[...]` mean training example in [0, 1], the initial output of the decoder.
        params: initial parameters; random ones if not given.
    """

    # Compiled as a whole, because a hundred separate small operations would take seconds.
    @jax.jit
    def init(key: Key, mean: Array | None, params: Params | None) -> TrainState:
        if params is not None:
            return init_state(key, params, parts.optimizer)
        params = parts.model.init(key, jnp.zeros((1, *shape)))
        if mean is not None:
            params["decoder"] = with_output_bias(params["decoder"], recipe.likelihood.link(mean))
        return init_state(key, params, parts.optimizer)

    keys = root_keys(recipe.train)
    if recipe.train.seeds == 1:
        return init(keys, mean, params)
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *[init(key, mean, params) for key in keys])


def root_keys(train: Train) -> Key:
    """Return the run's root key, or the `[S]` root keys of all its seeds."""
    keys = [rng.root(train.seed + number) for number in range(train.seeds)]
    return keys[0] if train.seeds == 1 else jnp.stack(keys)


def evaluation_batches(split: Split, *, binarize: bool, batch_size: int = 1000) -> Iterator[Batch]:
    """Yield the batches of a split for evaluation.

    Where pixels are binarized, they are the same in every run, for any seed, so that runs can be compared.
    """
    key = rng.stream(rng.root(0), "binarize for evaluation")
    return sequential_batches(split.image, key, batch_size=min(batch_size, split.num_examples), binarize=binarize)


def evaluate_split(
    model: VAE, params: Params, split: Split, *, seed: int, binarize: bool, reports_elbo: bool, num_samples: int = 1
) -> dict[str, float]:
    """Compute the `ElboEstimate` of a split, by name.

    A delta posterior has no bound, because its KL to any density is infinite: only its likelihood is reported.
    """
    batches = evaluation_batches(split, binarize=binarize)
    estimate = evaluate_elbo(params, rng.root(seed), batches, model=model, num_samples=num_samples)
    told = estimate._fields if reports_elbo else ("log_likelihood", "num_examples")
    return {name: getattr(estimate, name) for name in told}
