"""Parts of a run from a resolved config: model, loss, optimizer, initial state, batches, evaluation."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator

import jax
import jax.numpy as jnp
import optax

from jaxvae import presets, rng
from jaxvae.data import Split
from jaxvae.data.batches import sequential_batches
from jaxvae.evaluation import evaluate_elbo
from jaxvae.likelihoods import LIKELIHOODS
from jaxvae.model import VAE
from jaxvae.nets import with_output_bias
from jaxvae.objectives import CORRUPTIONS, denoising
from jaxvae.runs.config import TrainConfig
from jaxvae.training import guarded, init_state
from jaxvae.training.optimizer import adam, learning_rate_schedule, with_average
from jaxvae.training.step import Loss
from jaxvae.types import Array, Batch, Key, Params, TrainState


def build_model(config: TrainConfig, shape: tuple[int, ...]) -> VAE:
    """Build the model of a resolved config, for examples of a shape."""
    layers = ("latent_dim", "hidden", "channels", "activation", "upper_latent_dims", "upper_hidden")
    options = {name: getattr(config, name) for name in (*layers, "posterior", "likelihood")}
    dtype = None if config.precision == "float32" else jnp.dtype(config.precision)
    return presets.build(config.preset, shape, dtype=dtype, **options)


def build_loss(config: TrainConfig, model: VAE) -> Loss:
    """Bind the preset's objective to the model and all constant hyperparameters."""
    preset = presets.PRESETS[config.preset]
    objective = preset.objective
    if config.corruption != "none":
        objective = denoising(objective, CORRUPTIONS[str(config.corruption)], config.corruption_level)
    loss = functools.partial(
        objective,
        model=model,
        num_samples=config.num_samples,
        **{name: getattr(config, name) for name in preset.options},
    )
    return loss if config.beta_warmup_steps else functools.partial(loss, beta=config.beta)


def build_schedules(config: TrainConfig) -> dict[str, optax.Schedule]:
    """Build schedules of the loss's arguments that change with the step."""
    if not config.beta_warmup_steps:
        return {}
    return {"beta": optax.linear_schedule(0.0, config.beta, config.beta_warmup_steps)}


def build_learning_rate(config: TrainConfig) -> optax.Schedule:
    """Build the schedule of the learning rate."""
    return learning_rate_schedule(
        config.learning_rate, steps=config.steps, warmup_steps=config.warmup_steps, decay=config.decay
    )


def build_optimizer(config: TrainConfig) -> optax.GradientTransformation:
    """Build Adam with clipping, guard and average as configured."""
    scheduled = config.warmup_steps or config.decay != "none"
    optimizer = adam(build_learning_rate(config) if scheduled else config.learning_rate, config.weight_decay)
    if config.clip_norm is not None:
        optimizer = optax.chain(optax.clip_by_global_norm(config.clip_norm), optimizer)
    optimizer = guarded(optimizer, config.on_nonfinite)
    return optimizer if config.ema_decay is None else with_average(optimizer, config.ema_decay)


def initial_state(
    config: TrainConfig,
    model: VAE,
    shape: tuple[int, ...],
    mean: Array | None = None,
    params: Params | None = None,
) -> TrainState:
    """Make the state before the first step; with several seeds their states, stacked along a first axis.

    Args:
        config: resolved.
        model: model from `build_model`.
        shape: shape of one example.
        mean: `[...]` mean training example in [0, 1], the initial output of the decoder.
        params: initial parameters; random ones if not given.
    """
    optimizer, link = build_optimizer(config), LIKELIHOODS[str(config.likelihood)]().link

    # Compiled as a whole, because a hundred separate small operations would take seconds.
    @jax.jit
    def init(key: Key, mean: Array | None, params: Params | None) -> TrainState:
        if params is not None:
            return init_state(key, params, optimizer)
        params = model.init(key, jnp.zeros((1, *shape)))
        if mean is not None and (outputs := link(mean)) is not None:
            params["decoder"] = with_output_bias(params["decoder"], outputs)
        return init_state(key, params, optimizer)

    if config.seeds == 1:
        return init(root_keys(config), mean, params)
    states = [init(key, mean, params) for key in root_keys(config)]
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *states)


def root_keys(config: TrainConfig) -> Key:
    """Return the run's root key, or the `[S]` root keys of all its seeds."""
    keys = [rng.root(one.seed) for one in single_seeds(config)]
    return keys[0] if config.seeds == 1 else jnp.stack(keys)


def single_seeds(config: TrainConfig) -> list[TrainConfig]:
    """Return the configs of the same run with each of its seeds alone."""
    return [dataclasses.replace(config, seed=config.seed + number, seeds=1) for number in range(config.seeds)]


def evaluation_batches(config: TrainConfig, split: Split, batch_size: int = 1000) -> Iterator[Batch]:
    """Yield the batches of a split for evaluation.

    Where pixels are binarized, they are the same in every run, for any seed, so that runs can be compared.
    """
    key = rng.stream(rng.root(0), "binarize for evaluation")
    batch_size = min(batch_size, split.num_examples)
    return sequential_batches(split.x, key, batch_size=batch_size, space=split.space)


def evaluate_split(
    config: TrainConfig, model: VAE, params: Params, split: Split, num_samples: int = 1
) -> dict[str, float]:
    """Compute the `ElboEstimate` of a split, by name.

    A delta posterior has no bound, because its KL to any density is infinite: only its likelihood is reported.
    """
    batches = evaluation_batches(config, split)
    estimate = evaluate_elbo(params, rng.root(config.seed), batches, model=model, num_samples=num_samples)
    told = ("log_likelihood", "num_examples") if config.posterior == "delta" else estimate._fields
    return {name: getattr(estimate, name) for name in told}
