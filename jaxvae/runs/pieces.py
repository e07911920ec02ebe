"""From a config to the pieces of a run: options settled, model, loss, optimizer, first state, batches, evaluation."""

from __future__ import annotations

import dataclasses
import functools
from typing import Literal

import jax.numpy as jnp
import optax

from jaxvae import presets, rng
from jaxvae.data import Dataset, Split
from jaxvae.data.batches import make_batch, num_batches, sequential_batches
from jaxvae.evaluation import ElboEstimate, evaluate_elbo
from jaxvae.likelihoods import LIKELIHOODS
from jaxvae.model import VAE
from jaxvae.nets import with_output_bias
from jaxvae.runs.config import TrainConfig, default_run_dir
from jaxvae.training import init_state
from jaxvae.training.step import Loss
from jaxvae.types import Array, Batch, InputError, Params, TrainState


def resolve(config: TrainConfig, data: Dataset) -> TrainConfig:
    """Fill in what was left to the preset and to the data, and refuse what does not fit them.

    Raises:
        InputError: the options contradict each other or the data.
    """
    preset = presets.PRESETS[config.preset]
    defaults = {
        name: getattr(preset, name)
        for name in ("latent_dim", "hidden", "channels", "posterior", "likelihood")
        if getattr(config, name) is None
    }
    if data.pixels == "grey" and config.likelihood is None:
        defaults["likelihood"] = "normal_shared"
    config = dataclasses.replace(config, **defaults)
    size = data.train.num_examples
    if config.batch_size > size:
        raise InputError(f"batch-size: {config.batch_size} is more than the {size} training examples; make it smaller")
    steps = config.steps
    if config.epochs is not None:
        steps = round(config.epochs * num_batches(size, config.batch_size))
    config = dataclasses.replace(config, steps=max(steps, 1), binarize=_binarization(config, data))
    return dataclasses.replace(config, run_dir=config.run_dir or default_run_dir(config))


def _binarization(config: TrainConfig, data: Dataset) -> Literal["auto", "dynamic", "none"]:
    needs_binary = LIKELIHOODS[str(config.likelihood)].support == "binary"
    if needs_binary and data.pixels != "binary" and config.binarize == "none":
        raise InputError(
            f"likelihood: {config.likelihood} scores pixels that are 0 or 1, but {data.name} is grey; "
            "use --binarize dynamic, or --likelihood continuous_bernoulli"
        )
    if config.binarize == "auto":
        return "dynamic" if needs_binary and data.pixels != "binary" else "none"
    return config.binarize


def build_model(config: TrainConfig, shape: tuple[int, ...]) -> VAE:
    """The model of a resolved config, for examples of a shape."""
    names = ("latent_dim", "hidden", "channels", "posterior", "likelihood")
    return presets.build(config.preset, shape, **{name: getattr(config, name) for name in names})


def build_loss(config: TrainConfig, model: VAE) -> Loss:
    """The preset's objective with the model and all hyperparameters bound."""
    objective = presets.PRESETS[config.preset].objective
    return functools.partial(
        objective, model=model, beta=config.beta, free_bits=config.free_bits, num_samples=config.num_samples
    )


def build_optimizer(config: TrainConfig) -> optax.GradientTransformation:
    """Adam."""
    return optax.adam(config.learning_rate)


def initial_state(config: TrainConfig, model: VAE, shape: tuple[int, ...], mean: Array | None = None) -> TrainState:
    """The state before the first step.

    Args:
        config: resolved.
        model: what `build_model` made of it.
        shape: of one example.
        mean: `[...]` the training set's mean example in [0, 1], where the decoder's output is to begin.
    """
    key = rng.root(config.seed)
    params = model.init(key, jnp.zeros((1, *shape)))
    if mean is not None:
        outputs = LIKELIHOODS[str(config.likelihood)].link(mean)
        params["decoder"] = with_output_bias(params["decoder"], outputs)
    return init_state(key, params, build_optimizer(config))


def training_batch(config: TrainConfig, images: Array, state: TrainState, ids: Array, weights: Array) -> Batch:
    """The batch that a state's next step sees."""
    key = rng.stream(state.key, "binarize", state.step)
    return make_batch(images, key, ids, weights, binarize=config.binarize == "dynamic")


def evaluate_split(config: TrainConfig, model: VAE, params: Params, split: Split, num_samples: int = 1) -> ElboEstimate:
    """The ELBO on a split.

    Where pixels are binarized, the draw is the same in every run, whatever its seed, so that runs can be compared.
    """
    batches = sequential_batches(
        jnp.asarray(split.image),
        rng.stream(rng.root(0), "binarize for evaluation"),
        batch_size=min(1000, split.num_examples),
        binarize=config.binarize == "dynamic",
    )
    return evaluate_elbo(params, rng.root(config.seed), batches, model=model, num_samples=num_samples)
