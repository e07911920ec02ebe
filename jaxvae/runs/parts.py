"""Parts of a run, each made of the options that it needs: loss, schedules, optimizer, initial state, evaluation."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from jaxvae import rng
from jaxvae.arguments import asked
from jaxvae.data import Split
from jaxvae.data.rows import gather, num_bytes
from jaxvae.distributions import Normal
from jaxvae.errors import InputError, first_line
from jaxvae.model import VAE
from jaxvae.nets import with_output_bias
from jaxvae.objectives import denoising, word_dropout
from jaxvae.objectives.averages import with_averages
from jaxvae.objectives.denoising import masking
from jaxvae.options.groups import Train
from jaxvae.options.recipe import EXTRAS, Recipe, kind_of
from jaxvae.options.schedules import Schedule, ends
from jaxvae.training import Partition, guarded, init_state, labelled
from jaxvae.training.optimizer import adam, inference_first, learning_rate_schedule, with_average, with_phase
from jaxvae.training.step import Loss
from jaxvae.types import FROZEN, GRADIENT, Array, Key, Params, Space, TrainState

LEARNED_FROM, LEARNED_BYTES = 2000, 64 * 2**20
"""Maximum number and bytes of the training examples from which pieces begin."""


class Parts(NamedTuple):
    """Functions of a run that its options and the facts of the data decide."""

    model: VAE
    blank: tuple[Any, Any]
    """One example of zeros and its condition or None, for shapes."""
    shapes: Params
    """Parameters as shapes: to find them traces all networks."""
    loss: Loss
    schedules: Mapping[str, Schedule]
    """Arguments of the loss that change with the step."""
    optimizer: optax.GradientTransformation
    reports_elbo: bool
    """False where the posterior is a point without a density, whose KL is infinite."""


def build_parts(
    recipe: Recipe,
    space: Space,
    *,
    condition_space: Space | None = None,
    num_examples: int | None = None,
    num_labelled: int | None = None,
) -> Parts:
    """Build the parts of a settled recipe.

    Args:
        recipe: the recipe.
        space: space of an example.
        condition_space: space of a condition, or None without one.
        num_examples: number of training examples.
        num_labelled: number of these whose class is known.

    Raises:
        InputError: the choices do not fit each other or the data.
    """
    model = recipe.build(space, condition_space=condition_space, num_examples=num_examples)
    blank = space.zeros(1), None if condition_space is None else condition_space.zeros(1)
    params = jax.eval_shape(model.init, jax.random.key(0), *blank)
    labels = _labels(recipe.train.train_only, model, params)
    options = {field.name: getattr(recipe.objective, field.name) for field in dataclasses.fields(recipe.objective)}
    schedules = {name: value for name, value in options.items() if isinstance(value, Schedule)}
    objective = _objective(recipe, space, labels)
    known = asked(objective, {"num_examples": num_examples, "num_labelled": num_labelled, **dict(model.extras)})
    constants = {name: value for name, value in options.items() if name not in schedules}
    loss = functools.partial(objective, model=model, **known, **constants)
    posterior = jax.eval_shape(model.encode, params, *blank)
    if recipe.train.inference_patience is not None:
        _check_diagonal(posterior)
    partitions = {
        kind_of(extra, EXTRAS): Partition(extra.optimizer, extra.every, extra.after)
        for extra in recipe.extras
        if hasattr(extra, "optimizer")  # others learn by the run's own
    }
    optimizer = build_optimizer(recipe.train, labels, partitions)
    return Parts(model, blank, params, loss, schedules, optimizer, getattr(posterior, "has_kl", True))


def check_loss(parts: Parts) -> None:
    """Refuse a combination that cannot work, by the shapes of a loss at the first and the last step.

    Raises:
        InputError: the choices do not fit each other.
    """
    loss, (x, condition) = parts.loss, parts.blank
    key, weights = rng.example_keys(jax.random.key(0), jnp.arange(1)), jnp.ones(1)
    step = {"step": jnp.zeros((), int), "step_key": jax.random.key(0), "ids": jnp.arange(1), "axis_name": None}
    for number in range(2 if parts.schedules else 1):
        scheduled = {name: ends(value)[number] for name, value in parts.schedules.items()}
        given = {"condition": condition, "weights": weights, **scheduled, **asked(loss, step)}
        try:
            jax.eval_shape(lambda params, given=given: loss(params, key, x, **given), parts.shapes)
        except InputError:
            raise
        except (TypeError, ValueError, NotImplementedError) as error:
            raise InputError(f"the choices do not fit each other: {first_line(error)}") from error


def _objective(recipe: Recipe, space: Space, labels: Params) -> Any:
    """Return the objective, which also moves averages, and corrupts what the networks see if the recipe says so.

    Averages are moved within the corruption, because they are statistics of what the model encodes.
    """
    function, corruption = with_averages(recipe.objective.function, labels), recipe.corruption
    if recipe.train.word_dropout:
        function = _without_words(function, space, recipe.train.word_dropout)
    if not hasattr(corruption, "level"):
        return function
    if corruption.function.__name__ not in space.corruptions:
        known = ", ".join(space.corruptions) or "none"
        raise InputError(f"corruption: must be one of {known} for this data, got {corruption.function.__name__}")

    def corrupt(key: Key, x: Any, level: Any) -> Any:
        return space.corrupt(key, x, corruption.function, level)

    return denoising(function, corrupt, corruption.level)


def _without_words(objective: Any, space: Space, level: float) -> Any:
    """Return the objective whose decoder sees fewer words in training."""
    if space.kind != "tokens":
        raise InputError(f"word-dropout: is for rows of tokens, got {space.kind}; leave it out")
    return word_dropout(objective, lambda key, x, level: space.corrupt(key, x, masking, level), level)


def _labels(train_only: tuple[str, ...], model: VAE, params: Params) -> Params:
    """Return the labels of all parameters, see `training.labels`."""
    labels = model.labels(params)
    if unknown := [name for name in train_only if name not in labels]:
        raise InputError(f"train-only: must be of {', '.join(labels)}, got {unknown[0]!r}")
    if not train_only:
        return labels
    return {name: own if name in train_only else jax.tree.map(lambda _: FROZEN, own) for name, own in labels.items()}


def _check_diagonal(posterior: Any) -> None:
    """Refuse a posterior whose mutual information is not computed."""
    if not isinstance(posterior, Normal) or len(posterior.mean.shape) != 2:
        raise InputError(
            f"inference-patience: needs a diagonal normal of jaxvae as posterior, not {type(posterior).__name__}; "
            "give --inference-until instead"
        )


def build_learning_rate(train: Train) -> optax.Schedule:
    """Build the schedule of the learning rate."""
    return learning_rate_schedule(
        train.learning_rate, steps=train.steps, warmup_steps=train.warmup_steps, decay=train.decay
    )


def build_optimizer(
    train: Train, labels: Params = GRADIENT, partitions: Mapping[str, Partition] | None = None
) -> optax.GradientTransformation:
    """Build Adam with clipping, guard and average, for parameters with these labels and partitions."""
    scheduled = train.warmup_steps or train.decay != "none"
    rate = build_learning_rate(train) if scheduled else train.learning_rate
    if train.inference_steps == 1:
        optimizer = adam(rate, train.weight_decay)
    else:
        alternating = inference_first(adam(1.0, train.weight_decay), train.inference_steps, train.inference_until)
        alternating = alternating if train.inference_patience is None else with_phase(alternating)
        # The rate comes last, because its schedule counts all steps and not those of the decoder.
        optimizer = optax.chain(alternating, optax.scale_by_learning_rate(rate, flip_sign=False))
    if train.clip_norm is not None:
        optimizer = optax.chain(optax.clip_by_global_norm(train.clip_norm), optimizer)
    optimizer = guarded(labelled(optimizer, labels, partitions), train.on_nonfinite, labels)
    return optimizer if train.ema_decay is None else with_average(optimizer, train.ema_decay, labels)


def initial_state(
    recipe: Recipe,
    parts: Parts,
    *,
    mean: Array | None = None,
    examples: tuple[Any, Any] | None = None,
    params: Params | None = None,
    pretrained: Params | None = None,
) -> TrainState:
    """Make the state before the first step; with several seeds their states, stacked along a first axis.

    Args:
        recipe: settled.
        parts: parts of the recipe.
        mean: `[...]` mean training example in [0, 1], the initial output of the decoder.
        examples: training examples and their conditions, where a piece begins as data; zeros if not given.
        params: initial parameters; random ones if not given, and of parts that `train.init_parts` does not name.
        pretrained: parameters of networks that were trained before, by the names of their pieces; zeros if not given.
    """

    # Compiled as a whole, because a hundred separate small operations would take seconds.
    @jax.jit
    def init(
        key: Key, mean: Array | None, params: Params | None, pretrained: Params, examples: tuple[Any, Any]
    ) -> TrainState:
        if params is not None and not recipe.train.init_parts:
            return init_state(key, params, parts.optimizer)
        fresh = parts.model.init(key, *examples)
        fresh = {**fresh, **pretrained} if pretrained else fresh  # a model of one's own may have any tree
        if mean is not None and (outputs := recipe.likelihood.link(mean)) is not None:
            fresh["decoder"] = with_output_bias(fresh["decoder"], outputs)
        return init_state(key, fresh if params is None else {**fresh, **params}, parts.optimizer)

    keys, first = root_keys(recipe.train), parts.blank if examples is None else examples
    if recipe.train.seeds == 1:
        return init(keys, mean, params, pretrained or {}, first)
    return jax.tree.map(
        lambda *leaves: jnp.stack(leaves), *[init(key, mean, params, pretrained or {}, first) for key in keys]
    )


def examples_to_begin_with(model: VAE, split: Split) -> tuple[Any, Any] | None:
    """Return examples of a training split, the same for every seed and host, where a piece of the model needs them."""
    held = [getattr(model, name, None) for name in ("prior", "posterior", "likelihood")]
    if not any(getattr(piece, "begins_as_data", False) for piece in (*held, *dict(model.extras).values())):
        return None
    size, key = max(1, num_bytes(split.x) // split.num_examples), rng.stream(rng.root(0), "examples to begin with")
    num = max(1, min(split.num_examples, LEARNED_FROM, LEARNED_BYTES // size))
    ids = jnp.sort(jax.random.choice(key, split.num_examples, (num,), replace=False))
    return split.read(*gather((split.x, split.condition), jax.device_get(ids)))


def pretrained_parts(model: VAE) -> Params:
    """Read the parameters of the networks that were trained before, by the names of their pieces.

    Raises:
        InputError: a file is missing or is another.
    """
    held: dict[str, Any] = {name: getattr(model, name, None) for name in ("posterior", "prior", "likelihood")}
    return {name: piece.pretrained() for name, piece in held.items() if hasattr(piece, "pretrained")}


def root_keys(train: Train) -> Key:
    """Return the run's root key, or the `[S]` root keys of all its seeds."""
    keys = [rng.root(train.seed + number) for number in range(train.seeds)]
    return keys[0] if train.seeds == 1 else jnp.stack(keys)
